import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { noise } from '../browser/harness/assets.ts'

/** A page that only connects, and inserts the assets of another one when told to. */
export const waitingPage = '/wait.html'

/** A page of the site: its text is read as it opens. */
export function pageOf(set: number): string {
  return `/page-${set}.html`
}

interface Asset {
  readonly path: string
  readonly bytes: number
}

const KB = 1000
const styles = [50, 20]
const scripts = [120, 80, 60, 40]
const images = [150, 130, 110, 90, 60, 55, 50, 50, 45, 45, 40, 40, 25, 25, 20, 20, 18, 18, 15, 15, 12, 12, 10, 10]

/** Of the assets of one page. */
export const setBytes: number = [...styles, ...scripts, ...images].reduce((sum, size) => sum + size * KB, 0)

/** So many pages, each with assets that no other has: 370 KB of text before coding, 1.1 MB of images. */
export async function writeSlowSite(folder: string, sets: number): Promise<void> {
  await writeFile(join(folder, waitingPage), html('', insertScript(sets)))
  for (let set = 0; set < sets; set += 1) {
    const assets = assetsOf(set)
    await mkdir(join(folder, `set-${set}`))
    for (const [index, { path, bytes }] of assets.entries()) {
      await writeFile(join(folder, path), contentOf(path, bytes, set * assets.length + index))
    }
    await writeFile(join(folder, pageOf(set)), html(assets.map(tagOf).join('\n    '), ''))
  }
}

/** The paths of a page's assets. */
export function pathsOf(set: number): readonly string[] {
  return assetsOf(set).map(({ path }) => path)
}

function assetsOf(set: number): readonly Asset[] {
  const named = (sizes: readonly number[], extension: string): Asset[] =>
    sizes.map((size, at) => ({ path: `/set-${set}/${at}.${extension}`, bytes: size * KB }))
  return [...named(styles, 'css'), ...named(scripts, 'js'), ...named(images, 'png')]
}

function tagOf({ path }: Asset): string {
  if (path.endsWith('.css')) return `<link rel="stylesheet" href="${path}">`
  if (path.endsWith('.js')) return `<script src="${path}" defer></script>`
  return `<img src="${path}" alt="">`
}

function html(assets: string, script: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Benchmark</title>
    <link rel="icon" href="data:,">
  </head>
  <body>
    <h1>Benchmark</h1>
    ${assets}
    <script>${script}</script>
  </body>
</html>
`
}

const insertScript = (sets: number) => `
  const sets = ${JSON.stringify(Array.from({ length: sets }, (_, set) => pathsOf(set)))}
  // Resolves to the milliseconds until all assets of a page are there.
  globalThis.insertSet = async (set) => {
    const startMs = performance.now()
    const elementOf = (path) => {
      if (path.endsWith('.css')) return Object.assign(document.createElement('link'), { rel: 'stylesheet', href: path })
      return Object.assign(document.createElement(path.endsWith('.js') ? 'script' : 'img'), { src: path })
    }
    await Promise.all(sets[set].map((path) => new Promise((resolve, reject) => {
      const element = elementOf(path)
      element.onload = resolve
      element.onerror = () => reject(new Error('Cannot insert ' + path))
      document.body.append(element)
    })))
    return performance.now() - startMs
  }
`

// One pixel; a decoder ignores what follows.
const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=',
  'base64',
)
const words =
  'const let function return await page asset chunk peer origin width height color margin display value'.split(' ')

function contentOf(path: string, bytes: number, seed: number): Buffer {
  if (path.endsWith('.png')) return Buffer.concat([pixel, noise(bytes - pixel.length, seed + 1)])
  // Text that brotli shortens to about a fourth, as it does a site's own.
  const random = noise(bytes, seed + 1)
  let text = ''
  for (const byte of random) {
    if (text.length > bytes) break
    text += byte < 100 ? `${words[byte % words.length]} ` : `${byte.toString(36)}${byte % 7 === 0 ? ';' : ' '}`
  }
  return Buffer.from(`/* ${text.slice(0, bytes - 6)} */`)
}
