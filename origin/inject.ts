import type { OriginConfig } from './config.ts'
import { defaultScriptNames } from './config.ts'

/** What puts the site's tag into a page, or undefined where the site does so by itself. */
export function injectionOf(
  config: Pick<OriginConfig, 'base' | 'consent' | 'scriptNames'>,
): ((html: string) => string) | undefined {
  const { base, consent, scriptNames } = config
  if (consent === undefined) return undefined
  const source = base + scriptNames.tag
  const workers = [
    scriptNames.worker === defaultScriptNames.worker ? '' : ` data-worker="${scriptNames.worker}"`,
    scriptNames.serviceWorker === defaultScriptNames.serviceWorker
      ? ''
      : ` data-service-worker="${scriptNames.serviceWorker}"`,
  ]
  const tag = `<script src="${source}" data-consent="${consent}"${workers.join('')} async></script>`
  return (html) => injectTag(html, tag, source)
}

/**
 * Puts a tag at the end of a page's head. A page that has it already, and text that is no whole document, such as
 * a fragment for a script to insert, stay as they are.
 *
 * @param source the `src` that tells whether the tag is there
 */
function injectTag(html: string, tag: string, source: string): string {
  if (html.includes(`src="${source}"`) || html.includes(`src='${source}'`)) return html
  const at = findHeadEnd(html)
  return at === undefined ? html : html.slice(0, at) + tag + html.slice(at)
}

// Where text stands as it is: what looks like a tag in there is none.
const rawElements = /^(?:script|style|title|textarea|noscript|template|iframe|xmp|noembed|noframes)$/
// In the head nothing else may stand (https://html.spec.whatwg.org/multipage/syntax.html#the-head-element).
const headElements = /^(?:!doctype|html|head|base|link|meta|script|style|title|noscript|template)$/

/** The place before `</head>`, `<body>` or the first tag that ends the head unsaid; undefined where it is no document. */
function findHeadEnd(html: string): number | undefined {
  let isDocument = false
  let at = html.indexOf('<')
  while (at >= 0) {
    if (html.startsWith('<!--', at)) {
      at = after(html, '-->', at + 4)
    } else if (html.startsWith('<?', at)) {
      at = after(html, '>', at)
    } else {
      const name = /^<(!?[a-z][a-z0-9-]*|\/[a-z][a-z0-9-]*)/i.exec(html.slice(at, at + 32))?.[1]?.toLowerCase()
      if (name === undefined) return isDocument ? at : undefined
      if (name === '/head' || (!name.startsWith('/') && !headElements.test(name))) return isDocument ? at : undefined
      if (name === '!doctype' || name === 'html' || name === 'head') isDocument = true
      at = endOfTag(html, at)
      if (at >= 0 && rawElements.test(name)) at = endOfElement(html, name, at)
    }
    if (at < 0) return undefined
    at = html.indexOf('<', at)
  }
  return isDocument ? html.length : undefined
}

function after(html: string, text: string, from: number): number {
  const at = html.indexOf(text, from)
  return at < 0 ? -1 : at + text.length
}

/** Behind the `>` that is not within quotes. */
function endOfTag(html: string, from: number): number {
  let quote = ''
  for (let at = from; at < html.length; at += 1) {
    const character = html.charAt(at)
    if (quote !== '') {
      if (character === quote) quote = ''
    } else if (character === '>') return at + 1
    else if ((character === '"' || character === "'") && /[=\s]/.test(html.charAt(at - 1))) quote = character
  }
  return -1
}

function endOfElement(html: string, name: string, from: number): number {
  const close = new RegExp(`</${name}[\\s/>]`, 'gi')
  close.lastIndex = from
  const found = close.exec(html)
  return found === null ? -1 : endOfTag(html, found.index)
}
