import type { OriginConfig } from './config.ts'
import { defaultScriptNames } from './config.ts'

/** Puts a site's tag into a page; `path` is that of the page. */
export type Inject = (html: string, path: string) => string

/**
 * What puts the site's tag into its pages, or undefined where the site does so by itself.
 *
 * @param onLeft told of each page that has no tag and gets none
 */
export function injectionOf(
  config: Pick<OriginConfig, 'base' | 'consent' | 'scriptNames'>,
  onLeft?: (path: string) => void,
): Inject | undefined {
  const { base, consent, scriptNames } = config
  if (consent === undefined) return undefined
  const names = [
    scriptNames.worker === defaultScriptNames.worker ? '' : ` data-worker="${scriptNames.worker}"`,
    scriptNames.prompt === defaultScriptNames.prompt ? '' : ` data-prompt="${scriptNames.prompt}"`,
    scriptNames.peers === defaultScriptNames.peers ? '' : ` data-peers="${scriptNames.peers}"`,
    scriptNames.serviceWorker === defaultScriptNames.serviceWorker
      ? ''
      : ` data-service-worker="${scriptNames.serviceWorker}"`,
  ]
  const tag = `<script src="${base}${scriptNames.tag}" data-consent="${consent}"${names.join('')} async></script>`
  return (html, path) => {
    // A browser opens these by themselves, whatever they begin with.
    const isPage = /\/(?:index|404)\.html?$/i.test(path)
    const place = findPlace(html, scriptNames.tag, isPage)
    if (place === 'none') onLeft?.(path)
    return typeof place === 'number' ? html.slice(0, place) + tag + html.slice(place) : html
  }
}

// Where text stands as it is: what looks like a tag in there is none.
const rawElements = /^(?:script|style|title|textarea|noscript|template|iframe|xmp|noembed|noframes)$/
// In the head nothing else may stand (https://html.spec.whatwg.org/multipage/syntax.html#the-head-element).
const headElements = /^(?:!doctype|html|head|base|link|meta|script|style|title|noscript|template)$/
// What only a whole document has, and no fragment for a script to insert.
const documentElements = /^(?:!doctype|html|head|body|base|meta|title)$/

/**
 * Where the tag belongs: before `</head>`, `<body>` or the first tag that ends the head unsaid. `present` where the page
 * has it already, anywhere, and `none` where the text is a fragment, or broken before that place.
 *
 * @param name the file name of the tag's script
 */
function findPlace(html: string, name: string, isPage: boolean): number | 'present' | 'none' {
  let isDocument = isPage && html.trim() !== ''
  let place: number | undefined
  for (let at = html.indexOf('<'); at >= 0; at = html.indexOf('<', at)) {
    const item = readItem(html, at)
    if (item.name === 'script' && isScriptNamed(html.slice(at, item.tagEnd), name)) return 'present'
    if (place === undefined) {
      if (documentElements.test(item.name)) isDocument = true
      if (endsHead(item.name)) place = at
      if (place !== undefined && !isDocument) return 'none'
    }
    if (item.end < 0) return place ?? 'none'
    at = item.end
  }
  return place ?? (isDocument ? html.length : 'none')
}

interface Item {
  /** Of a tag, with its `/` where it closes; `` for a comment, and `<` for text. */
  readonly name: string
  /** -1 where it never ends. */
  readonly tagEnd: number
  /** Behind the element where nothing in it counts; -1 where it never ends. */
  readonly end: number
}

function readItem(html: string, at: number): Item {
  const whole = (name: string, end: number): Item => ({ name, tagEnd: end, end })
  if (html.startsWith('<!--', at)) return whole('', after(html, '-->', at + 4))
  if (html.startsWith('<?', at)) return whole('', after(html, '>', at))
  const name = /^<(!?[a-z][a-z0-9-]*|\/[a-z][a-z0-9-]*)/i.exec(html.slice(at, at + 32))?.[1]?.toLowerCase()
  if (name === undefined) return whole('<', at + 1)
  const tagEnd = endOfTag(html, at)
  return { name, tagEnd, end: tagEnd >= 0 && rawElements.test(name) ? endOfElement(html, name, tagEnd) : tagEnd }
}

function endsHead(name: string): boolean {
  return name === '/head' || (name !== '' && !name.startsWith('/') && !headElements.test(name))
}

/** Whatever the folder and query before and behind the name, and however the attribute is quoted. */
function isScriptNamed(tag: string, name: string): boolean {
  const [, double, single, plain] = /\ssrc\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))/i.exec(tag) ?? []
  const source = (double ?? single ?? plain ?? '').trim()
  return (
    source
      .replace(/[?#].*$/s, '')
      .split('/')
      .at(-1) === name
  )
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
