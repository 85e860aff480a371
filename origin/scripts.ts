import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export interface BrowserScripts {
  /** The drop-in script of the tag. */
  readonly tag: string
  /** The dedicated worker. */
  readonly worker: string
  /** The module of the prompt that asks for consent. */
  readonly prompt: string
  /** The module that connects to peers. */
  readonly peers: string
  /** The service worker, without its configuration. */
  readonly serviceWorker: string
}

// From the bundle in dist/npm/origin/, and from the sources in origin/.
const folders = ['../../browser/', '../dist/browser/']

/** Reads the scripts that come with the package. */
export async function readBrowserScripts(): Promise<BrowserScripts> {
  const failures: unknown[] = []
  for (const folder of folders) {
    const read = (name: string) => readFile(fileURLToPath(new URL(folder + name, import.meta.url)), 'utf8')
    try {
      return {
        tag: await read('nearhand.js'),
        worker: await read('nearhand-worker.js'),
        prompt: await read('nearhand-consent.js'),
        peers: await read('nearhand-peers.js'),
        serviceWorker: await read('nearhand-sw.js'),
      }
    } catch (error) {
      failures.push(error)
    }
  }
  const cause = new AggregateError(failures)
  throw new Error('Cannot read the browser scripts: they were not built (npm run build)', { cause })
}
