import { uploadBytesPerDay, uploadBytesPerSecond } from '../protocol/limits.ts'
import type { ConsentTexts } from './consent.ts'

/** What a site may set. Every field may be left out. */
export interface NearhandOptions {
  /**
   * No connection to other visitors is made without consent. `ask` (default): our prompt asks for it, though not in a
   * browser that sends Global Privacy Control (https://w3c.github.io/gpc/) or spares data. `granted`: the site has the
   * visitor's consent, or needs none; it does not hold in such a browser. `off`: nobody is asked. In each case
   * `consent(true)` grants.
   */
  readonly consent?: 'ask' | 'granted' | 'off' | undefined
  /** The site's folder on its host, also the scope of the service worker. Begins and ends with `/`. Default `/`. */
  readonly base?: string | undefined
  /** URL of the service worker file, of the site's own origin. Default `nearhand-sw.js` in the base. */
  readonly serviceWorker?: string | undefined
  /** URL of the dedicated worker's file, of the site's own origin. Default `nearhand-worker.js` in the base. */
  readonly worker?: string | undefined
  /** URL of the prompt's file, of the site's own origin. Default `nearhand-consent.js` in the base. */
  readonly prompt?: string | undefined
  /** URL of the file that connects to others, of the site's own origin. Default `nearhand-peers.js` in the base. */
  readonly peers?: string | undefined
  /** Base URL of the tracker's host, if it is not the site's own. */
  readonly tracker?: string | undefined
  /**
   * URL where the page asks for its pass: of the site's own origin, or https. A site whose backend decides who may join
   * answers there with `mintJoin()`; 401 or 403 keeps the visitor alone with the origin. A query may say who it is. Default: the tracker's host.
   */
  readonly join?: string | undefined
  /**
   * Whether that request carries the cookies of its host (https://fetch.spec.whatwg.org/#concept-request-credentials-mode):
   * `same-origin` (default) only where it is the site's own origin, `include` also elsewhere (which needs CORS with
   * credentials there), `omit` never.
   */
  readonly joinCredentials?: 'omit' | 'same-origin' | 'include' | undefined
  /** Kilobytes (1000 bytes) a second given to others at most, 0 for none. Default 8000. */
  readonly uploadLimit?: number | undefined
  /** Megabytes (1000 kilobytes) a day (UTC) given to others at most, 0 for none. Default 500. */
  readonly dayLimit?: number | undefined
  /** True: connections go through TURN servers alone, so that no peer sees this visitor's IP address. Default false. */
  readonly relay?: boolean | undefined
  /** The prompt's texts. Default: its own, in the language of the page. */
  readonly texts?: ConsentTexts | undefined
  /**
   * Who is asked, in idle time, for what the page's `<link rel="nearhand-prefetch" href="...">` name: `peers` alone
   * (default), or also the `origin`. `off`: nobody.
   */
  readonly prefetch?: 'peers' | 'origin' | 'off' | undefined
  /**
   * True: the browser is asked to keep the store when the device runs out of room; Firefox asks the visitor then.
   * Default false: only where it needs not ask.
   */
  readonly persist?: boolean | undefined
  /** True: nothing starts before `start()`. Default false. */
  readonly manual?: boolean | undefined
}

/** The options, complete and absolute. */
export interface Settings {
  readonly consent: 'ask' | 'granted' | 'off'
  readonly base: string
  readonly serviceWorkerUrl: string
  readonly workerUrl: string
  readonly promptUrl: string
  readonly peersUrl: string
  /** Ends with `/`. */
  readonly trackerUrl: string
  /** Undefined: below the tracker's. */
  readonly joinUrl: string | undefined
  readonly joinCredentials: 'omit' | 'same-origin' | 'include'
  readonly uploadBytesPerSecond: number
  readonly uploadBytesPerDay: number
  readonly isRelayOnly: boolean
  readonly isPersistent: boolean
  readonly prefetch: 'peers' | 'origin' | 'off'
  readonly texts: ConsentTexts
  readonly isManual: boolean
}

/**
 * Checks the options against the page they are for.
 * @throws TypeError or RangeError that names the option
 */
export function resolveOptions(options: NearhandOptions, pageUrl: string): Settings {
  const {
    consent = 'ask',
    prefetch = 'peers',
    base = '/',
    manual = false,
    relay = false,
    persist = false,
    joinCredentials = 'same-origin',
  } = options
  if (!/^(?:ask|granted|off)$/.test(consent)) throw new TypeError('Cannot use option consent: not ask, granted or off')
  if (!/^(?:peers|origin|off)$/.test(prefetch))
    throw new TypeError('Cannot use option prefetch: not peers, origin or off')
  if (!/^\/(?:[^?#\s]*\/)?$/.test(base)) throw new TypeError('Cannot use option base: it begins and ends with /')
  if (!/^(?:omit|same-origin|include)$/.test(joinCredentials)) {
    throw new TypeError('Cannot use option joinCredentials: not omit, same-origin or include')
  }
  for (const [name, value] of Object.entries({ manual, relay, persist })) {
    if (typeof value !== 'boolean') throw new TypeError(`Cannot use option ${name}: not true or false`)
  }
  const folder = new URL(base, pageUrl)
  return {
    consent,
    base,
    serviceWorkerUrl: ownUrl('serviceWorker', options.serviceWorker ?? 'nearhand-sw.js', folder),
    workerUrl: ownUrl('worker', options.worker ?? 'nearhand-worker.js', folder),
    promptUrl: ownUrl('prompt', options.prompt ?? 'nearhand-consent.js', folder),
    peersUrl: ownUrl('peers', options.peers ?? 'nearhand-peers.js', folder),
    trackerUrl: trackerUrl(options.tracker, folder),
    joinUrl: joinUrl(options.join, folder),
    joinCredentials,
    uploadBytesPerSecond: bytesOf('uploadLimit', options.uploadLimit, 1000) ?? uploadBytesPerSecond,
    uploadBytesPerDay: bytesOf('dayLimit', options.dayLimit, 1_000_000) ?? uploadBytesPerDay,
    isRelayOnly: relay,
    isPersistent: persist,
    prefetch,
    texts: options.texts ?? {},
    isManual: manual,
  }
}

/** The options that a tag's `data-` attributes say, not checked yet. @param source the script's own URL */
export function optionsOfTag(attributes: DOMStringMap, source: string, pageUrl: string): NearhandOptions {
  const script = new URL(source, pageUrl)
  const isOwn = script.origin === new URL(pageUrl).origin
  const { consent, base, scope, worker, serviceWorker, prompt, peers, tracker } = attributes
  const { uploadLimit, dayLimit, manual, relay, join, joinCredentials, prefetch, persist } = attributes
  return {
    ...(consent === undefined ? {} : { consent: consent as 'ask' }),
    base: base ?? scope ?? (isOwn ? new URL('.', script).pathname : '/'),
    serviceWorker,
    worker,
    prompt,
    peers,
    tracker,
    join,
    ...(joinCredentials === undefined ? {} : { joinCredentials: joinCredentials as 'omit' }),
    uploadLimit: numberOf(uploadLimit),
    dayLimit: numberOf(dayLimit),
    manual: isSet(manual),
    relay: isSet(relay),
    persist: isSet(persist),
    ...(prefetch === undefined ? {} : { prefetch: prefetch as 'peers' }),
    // Each text is an attribute of its name.
    texts: attributes,
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text.trim() || Number.NaN)
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text.toLowerCase() !== 'false'
}

function bytesOf(name: string, value: number | undefined, unitBytes: number): number | undefined {
  if (value === undefined) return undefined
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`Cannot use option ${name}: not 0 or more`)
  return value * unitBytes
}

/** Workers must be of the page's origin (https://html.spec.whatwg.org/multipage/workers.html). */
function ownUrl(name: string, value: string, folder: URL): string {
  const url = parseUrl(name, value, folder)
  if (url.origin !== folder.origin) throw new TypeError(`Cannot use option ${name}: of another origin`)
  return url.href
}

function trackerUrl(value: string | undefined, folder: URL): string {
  if (value === undefined) return folder.href
  const url = parseUrl('tracker', value, folder)
  if (!/^https?:$/.test(url.protocol)) throw new TypeError('Cannot use option tracker: not http or https')
  url.search = ''
  url.hash = ''
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url.href
}

/** By https, for whoever reads it on its way could not use the pass, but learns who is a member. */
function joinUrl(value: string | undefined, folder: URL): string | undefined {
  if (value === undefined) return undefined
  const url = parseUrl('join', value, folder)
  if (url.origin === folder.origin || url.protocol === 'https:') return url.href
  throw new TypeError('Cannot use option join: neither of this origin nor https')
}

function parseUrl(name: string, value: string, folder: URL): URL {
  try {
    return new URL(value, folder)
  } catch (cause) {
    throw new TypeError(`Cannot use option ${name}: not a URL`, { cause })
  }
}
