import type { RealSite } from './real-site.ts'
import { writePackage } from './real-site.ts'

const pages = [
  '/index.html',
  '/getting-started/installation.html',
  '/elements/media.html',
  '/components/cards.html',
  '/utilities/colors.html',
]

/** The documentation of Spectre.css: pages, style sheets and pictures, with an advertisement that nobody answers here. */
export const documentation: RealSite = {
  name: 'documentation (spectre.css)',
  write: (folder) => writePackage('spectre.css', { docs: '.' }, folder, {}),
  async visit(page, url, settled) {
    for (const path of pages) {
      await page.goto(url + path, { waitUntil: 'load' })
      await settled()
    }
  },
  answered: 11,
}
