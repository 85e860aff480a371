import { createNearhand } from './index.ts'
import { optionsOfTag } from './options.ts'

/*
 * The script of the tag. It makes `window.nearhand` and says `nearhandready` on the window. Whatever fails in here
 * ends in a warning: the page does not need us.
 */
const script = document.currentScript
try {
  if (script instanceof HTMLScriptElement && !('nearhand' in window)) {
    const nearhand = createNearhand(optionsOfTag(script.dataset, script.src, location.href))
    Reflect.set(window, 'nearhand', nearhand)
    window.dispatchEvent(new CustomEvent('nearhandready', { detail: nearhand }))
  }
} catch (error) {
  console.warn(error instanceof Error ? error.message : error)
}
