import { afterEach } from 'vitest'

/** What one test opened. Everything is closed after the test, the newest first, whether the test passed or not. */
export class Scene {
  #closers: (() => Promise<void> | void)[] = []

  onEnd(close: () => Promise<void> | void): void {
    this.#closers.push(close)
  }

  async end(): Promise<void> {
    const closers = this.#closers.reverse()
    this.#closers = []
    const faults: unknown[] = []
    for (const close of closers) {
      try {
        await close()
      } catch (fault) {
        faults.push(fault) // the others must close all the same
      }
    }
    if (faults.length > 0) throw new AggregateError(faults, 'Cannot close all that the test opened')
  }
}

/** A scene for the tests of the file or block that it is called in. */
export function useScene(): Scene {
  const scene = new Scene()
  afterEach(() => scene.end())
  return scene
}
