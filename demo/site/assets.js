// Every asset of this site that is worth sharing, and the button that asks for all of them again.
import { readableBytes } from './ready.js'

const PLATES = [
  '01-morrow-ridge',
  '02-selva-delta',
  '03-quill-sound',
  '04-halden-coil',
  '05-erg-tamesh',
  '06-cinder-salt',
  '07-lantern-firth',
  '08-the-veil',
  '09-brainstone-reef',
  '10-endpaper-bay',
  '11-sevenfold-court',
  '12-anders-firth',
]

export const ASSETS = [
  ...PLATES.map((name) => `plates/${name}.jpg`),
  'film/anders-firth.jpg',
  'film/anders-firth.mp4',
  'wasm/relief.wasm',
  'fonts/waymark.woff2',
  'fonts/waymark-contour.woff2',
]

const AT_ONCE = 4

export async function fetchAll(onProgress) {
  const waiting = ASSETS.map((path) => new URL(path, document.baseURI).href)
  let done = 0
  let bytes = 0
  const failed = []
  const work = async () => {
    for (let url = waiting.shift(); url; url = waiting.shift()) {
      try {
        const received = await drain(await fetch(url))
        bytes += received
      } catch {
        failed.push(url)
      }
      done += 1
      onProgress({ done, total: ASSETS.length, bytes })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return { files: ASSETS.length - failed.length, bytes, failed }
}

async function drain(response) {
  if (!response.ok) throw new Error(`Cannot fetch ${response.url}: ${response.status}`)
  const reader = response.body.getReader()
  let bytes = 0
  for (let part = await reader.read(); !part.done; part = await reader.read()) bytes += part.value.length
  return bytes
}

// Where the assets came from, by what 'traffic' told. The page's own pictures may load at the same time, so each chunk
// counts once, and nothing else does.
export class Sources {
  #paths = new Set(ASSETS.map((path) => new URL(path, document.baseURI).pathname))
  #chunks = new Map()

  add({ path, chunks }) {
    if (!this.#paths.has(path)) return
    for (const chunk of chunks) this.#chunks.set(`${path} ${chunk.index}`, chunk)
  }

  bytes() {
    const sums = { peer: 0, store: 0, origin: 0 }
    for (const { source, bytes } of this.#chunks.values()) sums[source] += bytes
    return sums
  }
}

// In words; the plain total where nobody counted.
export function describeFetch(result, bytes) {
  const missing = result.failed.length ? ` ${result.failed.length} could not be fetched.` : ''
  const whole = `${result.files} files, ${readableBytes(result.bytes)}`
  if (!bytes) return `${whole}, from the network or the browser’s cache.${missing}`
  const names = { peer: 'neighbours', store: 'own store', origin: 'origin' }
  const parts = Object.keys(names).filter((source) => bytes[source] > 0)
  if (parts.length === 0) return `${whole}, past the worker: it does not control this page yet. Reload once.${missing}`
  return `${whole}: ${parts.map((source) => `${readableBytes(bytes[source])} ${names[source]}`).join(', ')}.${missing}`
}
