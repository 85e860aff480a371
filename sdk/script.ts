import { createNearhand } from './index.ts'
import { Nearhand } from './nearhand.ts'
import { optionsOfTag, resolveOptions } from './options.ts'
import { createPage } from './page.ts'

/*
 * The script of the tag. It makes `window.nearhand` and says `nearhandready` on the window. Whatever fails in here
 * ends in a warning: the page does not need us.
 */
const script = document.currentScript
try {
  // Its own: an element of this id or name is a property of the window as well.
  if (Object.hasOwn(window, 'nearhand')) throw new Error('Cannot start Nearhand: window.nearhand exists')
  if (!(script instanceof HTMLScriptElement)) throw new Error('Cannot start Nearhand: not a classic script')
  const nearhand = create(script)
  Reflect.set(window, 'nearhand', nearhand)
  window.dispatchEvent(new CustomEvent('nearhandready', { detail: nearhand }))
} catch (error) {
  warn(error)
}

function create({ dataset, src }: HTMLScriptElement): Nearhand {
  try {
    return createNearhand(optionsOfTag(dataset, src, location.href))
  } catch (error) {
    warn(error)
    // The site's own scripts may count on one: this one says that it is unsupported.
    return new Nearhand({ ...createPage('/'), serviceWorkers: undefined }, resolveOptions({}, location.href))
  }
}

function warn(error: unknown): void {
  console.warn(error instanceof Error ? error.message : error)
}
