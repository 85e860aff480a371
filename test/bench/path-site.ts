import { randomFillSync } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A page with the tag, whose visitors may give as much as they can. */
export const tagPage = '/tag.html'
/** A page that is the same without us. */
export const plainPage = '/plain.html'
/** Of which no pattern names one: nothing below is ours. */
export const foreignPath = '/foreign'

export interface PathFile {
  readonly path: string
  readonly bytes: number
}

/** So many files of this size, of noise. */
export function filesOf(name: string, bytes: number, count: number): readonly PathFile[] {
  return Array.from({ length: count }, (_, at) => ({ path: `/${name}/${at}.bin`, bytes }))
}

export async function writePathSite(folder: string, files: readonly PathFile[]): Promise<void> {
  await writeFile(join(folder, plainPage), html(''))
  const limits = 'data-upload-limit="1000000" data-day-limit="1000000"'
  await writeFile(
    join(folder, tagPage),
    html(`<script src="/nearhand.js" data-consent="granted" ${limits} async></script>`),
  )
  for (const { path, bytes } of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), randomFillSync(Buffer.allocUnsafe(bytes)))
  }
}

/** One answer as a page saw it, in milliseconds from the request. */
export interface Reading {
  readonly bytes: number
  readonly firstByteMs: number
  readonly endMs: number
  /** When each piece came, by `performance.now()`. */
  readonly pieceTimes: readonly number[]
}

interface PathInPage {
  read(path: string, init?: RequestInit): Promise<Reading>
  readonly progress: { bytes: number }
  /** The longest task of the main thread since it was asked last, 0 where none was over 50 ms. */
  longestTaskMs(): Promise<number>
}

declare global {
  // oxlint-disable-next-line no-var
  var path: PathInPage
}

const html = (tag: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Benchmark</title>
    <link rel="icon" href="data:,">
    ${tag}
  </head>
  <body>
    <script>${script}</script>
  </body>
</html>
`

const script = `
  let longest = 0
  const observer = new PerformanceObserver((list) => note(list.getEntries()))
  const note = (entries) => { for (const { duration } of entries) longest = Math.max(longest, duration) }
  observer.observe({ type: 'longtask' })
  globalThis.path = {
    progress: { bytes: 0 },
    async read(path, init) {
      const startMs = performance.now()
      const response = await fetch(path, init)
      const reader = response.body.getReader()
      const pieceTimes = []
      this.progress.bytes = 0
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        pieceTimes.push(performance.now())
        this.progress.bytes += read.value.length
      }
      const endMs = performance.now() - startMs
      if (!response.ok) throw new Error('Cannot read ' + path + ': ' + response.status)
      const { bytes } = this.progress
      if (bytes !== Number(response.headers.get('content-length') ?? bytes)) throw new Error('Cannot read ' + path + ': cut')
      return { bytes, firstByteMs: pieceTimes[0] - startMs, endMs, pieceTimes }
    },
    async longestTaskMs() {
      // An entry comes a task after its task.
      await new Promise((resolve) => setTimeout(resolve, 100))
      note(observer.takeRecords())
      const told = longest
      longest = 0
      return told
    },
  }
`
