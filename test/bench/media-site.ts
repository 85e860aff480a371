import { cp, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mediaPage } from './bench-page.ts'

/** Pages of the site whose offload is measured. */
export const pages = {
  /** No media: installs the worker, where there is one. */
  start: '/start.html',
  /** Loads all media as it opens. */
  media: '/media.html',
  /** Loads all media when told to. */
  inserted: '/inserted.html',
} as const

/** The demo's media, on pages of the benchmark's own. */
export async function writeMediaSite(root: string, folder: string): Promise<void> {
  const demo = join(root, 'demo/site')
  for (const name of ['plates', 'film']) await cp(join(demo, name), join(folder, name), { recursive: true })
  const plates = (await readdir(join(folder, 'plates'))).toSorted()
  const images = plates.map((name) => `/plates/${name}`)
  const film = (await readdir(join(folder, 'film'))).find((name) => name.endsWith('.mp4'))
  if (film === undefined) throw new Error('Cannot make the site: the demo has no film')
  await writeFile(join(folder, pages.start), mediaPage([], '', false))
  await writeFile(join(folder, pages.media), mediaPage(images, `/film/${film}`, true))
  await writeFile(join(folder, pages.inserted), mediaPage(images, `/film/${film}`, false))
}
