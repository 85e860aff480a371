import { onTestFinished, vi } from 'vitest'
import type { WorkerToExchange } from '../../protocol/bridge.ts'
import type { Bytes } from '../../protocol/bytes.ts'
import { encodeFrame, listIndexOnWire, parseFrame, swarmProof } from '../../protocol/peer-wire.ts'
import type { Want } from '../../protocol/peer-wire.ts'
import { answerOf, answerOfHonest } from '../browser/harness/misdeeds.ts'
import type { Misdeed } from '../browser/harness/misdeeds.ts'
import type { FakeChannel } from '../fakes/channel-pair.ts'
import { createChannelPair } from '../fakes/channel-pair.ts'
import { FakeClock, rest, until } from '../fakes/clock.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { passFor } from '../protocol/passes.ts'
import { Device, fingerprintOf, peerIdOf, swarm } from '../sdk/exchange-scene.ts'
import type { MadeAsset } from '../sw/made-asset.ts'
import { chunkBytes } from '../sw/made-asset.ts'
import type { MadeSite } from '../sw/made-site.ts'
import type { MadeWorker } from '../sw/made-worker.ts'
import { makeWorker } from '../sw/made-worker.ts'

const tickMs = 10
const foreign = contentOf(262_144, 9)

/** A whole visitor, service worker and exchange, whose clocks only the test moves. */
export class Visitor {
  readonly device: Device
  readonly worker: MadeWorker
  readonly clock: FakeClock
  readonly #site: MadeSite

  private constructor(site: MadeSite) {
    this.#site = site
    this.clock = new FakeClock()
    this.device = new Device(peerIdOf('a'), this.clock)
    this.worker = makeWorker(site)
    onTestFinished(() => {
      vi.useRealTimers()
      this.device.close()
    })
  }

  static async open(site: MadeSite): Promise<Visitor> {
    const visitor = new Visitor(site)
    await visitor.worker.manifests.onNavigation()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const port = visitor.device.link()
    visitor.worker.bridge.link(
      {
        listen: (hear) => {
          port.onmessage = ({ data }: MessageEvent<unknown>) => hear(data)
        },
        post: (message: WorkerToExchange) => port.postMessage(message),
        close: () => port.close(),
      },
      'page',
    )
    return visitor
  }

  /** Lets time pass until the work is done. Gives its result, and how many milliseconds it took. */
  async timed<Result>(work: Promise<Result>, limitMs: number): Promise<{ result: Result; tookMs: number }> {
    let isDone = false
    const done = (): void => void (isDone = true)
    work.then(done, done)
    let tookMs = 0
    for (; !isDone && tookMs <= limitMs; tookMs += tickMs) {
      await this.clock.advance(tickMs)
      this.#site.now += tickMs
      await vi.advanceTimersByTimeAsync(tickMs)
      // Hashes are made in other threads, which know of no fake time: on a busy machine they need more of the real one.
      for (let turn = 0; turn < 4 && !isDone; turn += 1) await rest()
    }
    if (!isDone) throw new Error(`Cannot wait on: not done in ${limitMs} ms`)
    return { result: await work, tookMs }
  }
}

/** A peer of the swarm that says that it holds an asset whole, and then does the same to every want. */
export class SwarmPeer {
  readonly #end: FakeChannel
  readonly #clock: FakeClock
  readonly #made: MadeAsset
  readonly #misdeed: Misdeed | undefined
  #misdeeds = 0
  #isTaken = false

  /** @param misdeed undefined: it is honest */
  constructor(visitor: Visitor, name: string, made: MadeAsset, misdeed?: Misdeed) {
    this.#made = made
    this.#misdeed = misdeed
    this.#clock = visitor.clock
    const [theirs, ours] = createChannelPair()
    this.#end = ours
    ours.listen({
      opened: () => {},
      received: (bytes) => {
        const frame = parseFrame(bytes)
        if (frame.type === 'have') this.#isTaken = true
        if (frame.type === 'want') this.#answer(frame)
      },
      drained: () => {},
      closed: () => {},
    })
    visitor.device.meet(peerIdOf(name), theirs)
    theirs.open()
  }

  /** Goes through the handshake and claims the asset. */
  async claim(name: string): Promise<void> {
    const proof = await swarmProof(swarm, peerIdOf(name))
    const entries = [{ id: this.#made.asset.id.slice(0, 16), state: 'whole' as const }]
    this.#end.send(
      encodeFrame({ type: 'hello', version: 1, proofs: [proof], pass: passFor(fingerprintOf(peerIdOf(name))) }),
    )
    await until(() => this.#isTaken)
    this.#end.send(encodeFrame({ type: 'have', proof, reset: true, entries }))
    await rest()
  }

  #answer(want: Want): void {
    const asked = { request: want.request, truth: this.#truth(want), foreign: foreign.slice(0, want.length) }
    if (this.#misdeed === undefined) {
      this.#end.send(Uint8Array.from(answerOfHonest(asked).frame))
      return
    }
    for (const { afterMs, frame } of answerOf(this.#misdeed, asked, this.#misdeeds++)) {
      this.#clock.after(afterMs, () => this.#end.send(Uint8Array.from(frame)))
    }
  }

  #truth({ index, offset, length }: Want): Bytes {
    const { asset, content, list } = this.#made
    const whole = index === listIndexOnWire ? list : chunkBytes(content, asset.chunkSize, index)
    return whole.slice(offset, offset + length)
  }
}
