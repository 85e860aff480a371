import { uploadBytesPerSecond } from '../protocol/limits.ts'

/** What a site may set. Every field may be left out. */
export interface NearhandOptions {
  /**
   * `ask` (default): no connection to other visitors before `consent(true)`. `granted`: the site has the visitor's
   * consent, or needs none; a browser that sends Global Privacy Control (https://w3c.github.io/gpc/) is still asked.
   */
  readonly consent?: 'ask' | 'granted' | undefined
  /** The site's folder on its host, also the scope of the service worker. Begins and ends with `/`. Default `/`. */
  readonly base?: string | undefined
  /** URL of the service worker file, of the site's own origin. Default `nearhand-sw.js` in the base. */
  readonly serviceWorker?: string | undefined
  /** URL of the dedicated worker's file, of the site's own origin. Default `nearhand-worker.js` in the base. */
  readonly worker?: string | undefined
  /** Base URL of the tracker's host, if it is not the site's own. */
  readonly tracker?: string | undefined
  /** Kilobytes (1000 bytes) a second given to others at most, 0 for none. Default 2000. */
  readonly uploadLimit?: number | undefined
  /** True: nothing starts before `start()`. Default false. */
  readonly manual?: boolean | undefined
}

/** The options, complete and absolute. */
export interface Settings {
  readonly consent: 'ask' | 'granted'
  readonly base: string
  readonly serviceWorkerUrl: string
  readonly workerUrl: string
  /** Ends with `/`. */
  readonly trackerUrl: string
  readonly uploadBytesPerSecond: number
  readonly isManual: boolean
}

/**
 * Checks the options against the page they are for.
 * @throws TypeError or RangeError that names the option
 */
export function resolveOptions(options: NearhandOptions, pageUrl: string): Settings {
  const { consent = 'ask', base = '/', manual = false } = options
  if (consent !== 'ask' && consent !== 'granted') throw new TypeError('Cannot use option consent: not ask or granted')
  if (!/^\/(?:[^?#\s]*\/)?$/.test(base)) throw new TypeError('Cannot use option base: it begins and ends with /')
  if (typeof manual !== 'boolean') throw new TypeError('Cannot use option manual: not true or false')
  const uploadLimit = options.uploadLimit ?? uploadBytesPerSecond / 1000
  if (!Number.isFinite(uploadLimit) || uploadLimit < 0)
    throw new RangeError('Cannot use option uploadLimit: not 0 or more')
  const folder = new URL(base, pageUrl)
  return {
    consent,
    base,
    serviceWorkerUrl: ownUrl('serviceWorker', options.serviceWorker ?? 'nearhand-sw.js', folder),
    workerUrl: ownUrl('worker', options.worker ?? 'nearhand-worker.js', folder),
    trackerUrl: trackerUrl(options.tracker, folder),
    uploadBytesPerSecond: uploadLimit * 1000,
    isManual: manual,
  }
}

/** The options that a tag's `data-` attributes say, not checked yet. @param source the script's own URL */
export function optionsOfTag(attributes: DOMStringMap, source: string, pageUrl: string): NearhandOptions {
  const script = new URL(source, pageUrl)
  const isOwn = script.origin === new URL(pageUrl).origin
  const { consent, base, scope, worker, serviceWorker, tracker, uploadLimit, manual } = attributes
  return {
    ...(consent === undefined ? {} : { consent: consent as 'ask' }),
    base: base ?? scope ?? (isOwn ? new URL('.', script).pathname : '/'),
    serviceWorker,
    worker,
    tracker,
    uploadLimit: uploadLimit === undefined ? undefined : Number(uploadLimit.trim() || Number.NaN),
    manual: manual !== undefined && manual.toLowerCase() !== 'false',
  }
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

function parseUrl(name: string, value: string, folder: URL): URL {
  try {
    return new URL(value, folder)
  } catch (cause) {
    throw new TypeError(`Cannot use option ${name}: not a URL`, { cause })
  }
}
