import type { BlockList } from 'node:net'
import { resolve } from 'node:path'
import { compilePatterns } from '../protocol/patterns.ts'
import type { IceServer } from '../protocol/join.ts'
import { parseJoinResponse } from '../protocol/join.ts'
import { canonicalPath } from '../protocol/paths.ts'
import type { UrlRules } from '../protocol/url-rules.ts'
import { parseUrlRules } from '../protocol/url-rules.ts'
import { trustedProxyList } from './client-address.ts'
import type { HeaderRule, PublishProgress } from './publish.ts'
import type { BrowserScripts } from './scripts.ts'

export interface OriginOptions {
  /** The site: a folder of static files. Dotfiles in it are neither published nor served, `/.well-known/` apart. */
  readonly folder: string
  /** Folder for what must outlive a restart, and for the keys. Never inside `folder`, unless hidden. Default: `.nearhand`. */
  readonly state?: string | undefined
  /** Folder of the site's keys; made with new keys where it holds none. Default: `keys` below `state`. */
  readonly keys?: string | undefined
  /** The site's folder on its host: `/` or `/sub/`. Default: `/`. */
  readonly base?: string | undefined
  /** Puts the tag into every HTML page. `true` asks the visitor for consent. Default: false. */
  readonly inject?: boolean | { readonly consent: Consent } | undefined
  /** Lets visitors of one network connect to each other by their local addresses. Default: those of pages at localhost. */
  readonly lan?: boolean | undefined
  /** Path prefixes with swarms of their own, such as `/live/`; 15 at most. Default: none, the whole site is one. */
  readonly sections?: readonly string[] | undefined
  /**
   * Sections whose files the server gives only to some: a visitor has them from a store or from peers only with a pass
   * that names the section. They become sections; all of them but `/` count for the 15. Default: none.
   */
  readonly guarded?: readonly string[] | undefined
  /**
   * Says which guarded sections a visitor may join, by the request of the visitor's page: a POST with the cookies of
   * the site, and with the query that the page's `data-join` names. Its body was read. Default: none.
   */
  readonly admit?: Admit | undefined
  /**
   * Query parameters that do not change a file, such as tokens: the server sees them, and the files are shared all the
   * same. `paths` is a pattern of paths. Default: none; a request with a query is the server's alone.
   */
  readonly ignoredQuery?: readonly IgnoredQuery[] | undefined
  /**
   * Other hosts of yours, with CORS: what lies there below `from` is what the folder holds below `to`.
   * Default: none; requests to other hosts are left alone.
   */
  readonly hosts?: readonly AssetHost[] | undefined
  /** What the service worker answers; see `compilePatterns`. Default: images, media, fonts, scripts and the like. */
  readonly patterns?: readonly string[] | undefined
  /** Response headers by pattern; later rules win. Default: none but content-type and cache-control. */
  readonly headers?: readonly HeaderRule[] | undefined
  /** Seconds for which a signed word about the newest head holds. Default: 120. */
  readonly freshSeconds?: number | undefined
  /** `max-age` of assets, in seconds; 0 asks the browser to revalidate. Names with a hash are immutable. Default: 0. */
  readonly cacheSeconds?: number | undefined
  /** Publishes again when files change. Default: false. */
  readonly watch?: boolean | undefined
  /** Answers STUN binding requests over UDP, and names itself to visitors. Default: port 3478 on all addresses. */
  readonly stun?: { readonly port: number; readonly host?: string | undefined } | false | undefined
  /** More ICE servers for visitors. Default: none. */
  readonly iceServers?: readonly IceServer[] | undefined
  /** Connects visitors through TURN servers alone, so that none sees another's IP address. Default: false. */
  readonly relay?: boolean | undefined
  /** Whether stored pages answer a navigation that the network does not. Default: false. */
  readonly offlinePages?: boolean | undefined
  /** Bytes that the store of this site may take on a device. Default: 200 MiB. */
  readonly storeLimitBytes?: number | undefined
  /** Bytes that copies of earlier content may take below `state`. Default: 2 GiB. */
  readonly keepContentBytes?: number | undefined
  /** Other web origins (`https://www.example.org`) whose pages may join. The host of the request always may. Default: none. */
  readonly allowedOrigins?: readonly string[] | undefined
  /**
   * Lets clients of the WebTorrent protocol meet at `/announce` below `base`: p2p-media-loader, WebTorrent. `'pass'`
   * asks each for a pass of the site (`?pass=…` in the tracker's URL) and for offers by the certificate that it names;
   * `'open'` takes anybody. Default: off.
   */
  readonly announce?: Announce | undefined
  /** Addresses or CIDR ranges of proxies whose X-Forwarded-For is believed. Default: none. */
  readonly trustedProxies?: readonly string[] | undefined
  /**
   * Names of the scripts, below `base`. Default: `nearhand.js`, `nearhand-worker.js`, `nearhand-consent.js`,
   * `nearhand-peers.js`, `nearhand-sw.js`.
   */
  readonly scriptNames?: Partial<ScriptNames> | undefined
  /** The browser scripts. Default: those that come with the package. */
  readonly scripts?: BrowserScripts | undefined
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: (() => number) | undefined
  /** Takes one line about what happened. Default: `console.error`. */
  readonly log?: ((line: string) => void) | undefined
  readonly onProgress?: ((progress: PublishProgress) => void) | undefined
}

export type Admit = (request: Request, guarded: readonly string[]) => readonly string[] | Promise<readonly string[]>

export interface IgnoredQuery {
  /** Default: `/**`. */
  readonly paths?: string | undefined
  /** As they are spelled in the URL; case counts. 1 to 32 names of letters, digits and `_.~-`. */
  readonly names: readonly string[]
}

export interface AssetHost {
  /** A web origin such as `https://media.example.com`; http only for this machine's own names. */
  readonly host: string
  /** Default: `/`. */
  readonly from?: string | undefined
  /** Default: `/`. */
  readonly to?: string | undefined
}

/** What the tag says of consent: visitors are asked, agreed elsewhere, or are left to the site's own question. */
export type Consent = 'ask' | 'granted' | 'off'

export type Announce = 'open' | 'pass'

export interface ScriptNames {
  readonly tag: string
  readonly worker: string
  readonly prompt: string
  readonly peers: string
  readonly serviceWorker: string
}

/** Options with their defaults, checked. */
export interface OriginConfig {
  readonly folder: string
  readonly state: string
  readonly keys: string
  readonly base: string
  readonly consent: Consent | undefined
  readonly lan: boolean | undefined
  readonly sections: readonly string[]
  readonly guarded: readonly string[]
  readonly admit: Admit
  readonly urls: UrlRules | undefined
  readonly patterns: readonly string[] | undefined
  readonly headers: readonly HeaderRule[]
  readonly freshSeconds: number
  readonly cacheSeconds: number
  readonly watch: boolean
  readonly stun: { readonly port: number; readonly host: string | undefined } | undefined
  readonly iceServers: readonly IceServer[]
  readonly relay: boolean
  readonly offlinePages: boolean
  readonly storeLimitBytes: number
  readonly keepContentBytes: number
  readonly allowedOrigins: readonly string[]
  readonly announce: Announce | undefined
  readonly proxies: BlockList
  readonly scriptNames: ScriptNames
  readonly scripts: BrowserScripts | undefined
  readonly now: () => number
  readonly log: (line: string) => void
  readonly onProgress: ((progress: PublishProgress) => void) | undefined
}

export const defaultScriptNames: ScriptNames = {
  tag: 'nearhand.js',
  worker: 'nearhand-worker.js',
  prompt: 'nearhand-consent.js',
  peers: 'nearhand-peers.js',
  serviceWorker: 'nearhand-sw.js',
}
const mebibyte = 1024 * 1024

/** Throws a TypeError or RangeError where an option is not of its form. */
export function resolveConfig(options: OriginOptions): OriginConfig {
  const state = resolve(options.state ?? '.nearhand')
  if (options.patterns) compilePatterns(options.patterns)
  const guarded = (options.guarded ?? []).map(checkSection)
  return {
    folder: resolve(options.folder),
    state,
    keys: resolve(options.keys ?? `${state}/keys`),
    base: checkBase(options.base ?? '/'),
    consent: consentOf(options.inject),
    lan: options.lan,
    sections: [...new Set([...(options.sections ?? []).map(checkSection), ...guarded])],
    guarded: [...new Set(guarded)].toSorted(),
    admit: options.admit ?? (() => []),
    urls: checkUrls(options),
    patterns: options.patterns,
    headers: options.headers ?? [],
    freshSeconds: checkNumber('freshSeconds', options.freshSeconds ?? 120, 10, 7 * 86_400),
    cacheSeconds: checkNumber('cacheSeconds', options.cacheSeconds ?? 0, 0, 365 * 86_400),
    watch: options.watch ?? false,
    stun: options.stun === false ? undefined : { port: options.stun?.port ?? 3478, host: options.stun?.host },
    iceServers: checkIceServers(options.iceServers ?? []),
    relay: checkRelay(options),
    offlinePages: options.offlinePages ?? false,
    storeLimitBytes: checkNumber('storeLimitBytes', options.storeLimitBytes ?? 200 * mebibyte, 0),
    keepContentBytes: checkNumber('keepContentBytes', options.keepContentBytes ?? 2048 * mebibyte, 0),
    allowedOrigins: (options.allowedOrigins ?? []).map(checkOrigin),
    announce: checkAnnounce(options.announce),
    proxies: trustedProxyList(options.trustedProxies ?? []),
    scriptNames: checkNames({ ...defaultScriptNames, ...options.scriptNames }),
    scripts: options.scripts,
    now: options.now ?? Date.now,
    log: options.log ?? console.error,
    onProgress: options.onProgress,
  }
}

function consentOf(inject: OriginOptions['inject']): OriginConfig['consent'] {
  return typeof inject === 'object' ? inject.consent : inject === true ? 'ask' : undefined
}

function checkBase(base: string): string {
  if (/^\/(?:[^?#\s*]*[^/?#\s*]\/)?$/.test(base) && canonicalPath(base) === base) return base
  throw new TypeError(
    `Cannot use base ${JSON.stringify(base)}: a path such as /docs/, begun and ended by /, escaped as in a URL`,
  )
}

function checkSection(section: string): string {
  if (section.endsWith('/') && canonicalPath(section) === section) return section
  throw new TypeError(
    `Cannot use section ${JSON.stringify(section)}: a path such as /live/, which begins and ends with /`,
  )
}

function checkUrls({ ignoredQuery = [], hosts = [] }: OriginOptions): UrlRules | undefined {
  if (ignoredQuery.length + hosts.length === 0) return undefined
  try {
    return parseUrlRules({
      ignoredQuery: ignoredQuery.map(({ paths = '/**', ...rest }) => ({ ...rest, paths })),
      hosts: hosts.map(({ from = '/', to = '/', ...rest }) => ({ ...rest, from, to })),
    })
  } catch (cause) {
    throw new TypeError(`Cannot use ignoredQuery and hosts: ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
}

function checkOrigin(text: string): string {
  const origin = URL.canParse(text) ? new URL(text).origin : 'null'
  if (origin !== 'null' && origin === text.replace(/\/$/, '')) return origin
  throw new TypeError(`Cannot allow origin ${JSON.stringify(text)}: not of the form https://host`)
}

/** By the parser of every visitor: what it refuses would let nobody join. */
function checkIceServers(iceServers: readonly IceServer[]): readonly IceServer[] {
  const swarms = [{ section: '/', swarm: '0'.repeat(32) }]
  try {
    return parseJoinResponse(JSON.stringify({ pass: '-', swarms, iceServers, lan: false, renewSeconds: 1 })).iceServers
  } catch (cause) {
    throw new TypeError(`Cannot use iceServers: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

function checkAnnounce(announce: unknown): Announce | undefined {
  if (announce === undefined || announce === 'open' || announce === 'pass') return announce
  throw new TypeError(`Cannot use announce ${JSON.stringify(announce)}: neither open nor pass`)
}

function checkRelay({ relay = false, iceServers = [] }: OriginOptions): boolean {
  if (!relay || iceServers.some(({ urls }) => urls.some((url) => url.startsWith('turn')))) return relay
  throw new TypeError('Cannot relay: iceServers names no TURN server')
}

function checkNames(names: ScriptNames): ScriptNames {
  const all = [names.tag, names.worker, names.prompt, names.peers, names.serviceWorker]
  if (new Set(all).size === all.length && all.every((name) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*\.js$/.test(name)))
    return names
  throw new TypeError(`Cannot name the scripts ${all.join(', ')}: different file names that end in .js`)
}

function checkNumber(name: string, value: number, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new RangeError(`Cannot use ${name} ${value}: not a whole number from ${least} to ${most}`)
}
