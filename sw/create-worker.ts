import * as v from 'valibot'
import type { TrafficMessage, WorkerToPage } from '../protocol/bridge.ts'
import type { StoreMessage } from '../protocol/store-layout.ts'
import { compilePatterns } from '../protocol/patterns.ts'
import type { SitePlace } from '../protocol/url-rules.ts'
import { compileUrls } from '../protocol/url-rules.ts'
import type { WorkerConfig } from '../protocol/worker-config.ts'
import type { AnswerRules } from './answer.ts'
import { pathToAnswer } from './answer.ts'
import { ChunkLists } from './chunk-lists.ts'
import { ErrorBudget } from './error-budget.ts'
import type { KeptState } from './kept-state.ts'
import { loadAs } from './kept-state.ts'
import { Hosts } from './hosts.ts'
import { Manifests } from './manifests.ts'
import type { OriginFetch } from './origin-fetch.ts'
import { Origin } from './origin-fetch.ts'
import { Media } from './media.ts'
import type { FeedParts } from './open-feed.ts'
import { EarlyBodies } from './open-feed.ts'
import { Prefetch } from './prefetch.ts'
import { Hedges } from './hedge.ts'
import { OriginPace } from './origin-pace.ts'
import { PageHeads } from './page-heads.ts'
import { OwnPass } from './own-pass.ts'
import type { BridgeOptions } from './page-bridge.ts'
import { PageBridge } from './page-bridge.ts'
import { PartSource } from './part-source.ts'
import type { Device } from './patience.ts'
import { impatient } from './patience.ts'
import { Route } from './route.ts'
import { Store } from './store.ts'
import { Traffic } from './traffic.ts'

/** The world around the worker. */
export interface World {
  /** Of the worker's own file. */
  readonly location: { readonly origin: string }
  readonly disk: Device
  fetch: OriginFetch & ((request: Request) => Promise<Response>)
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly random: () => number
  /** Says something to every page of the site. */
  readonly tellPages: (message: WorkerToPage) => void
  /** Ends this worker on this device. */
  readonly unregister: () => void
  readonly tellStore: (message: StoreMessage) => void
  readonly tellTraffic: (message: TrafficMessage) => void
  /** Resolves when nobody holds this Web Lock. */
  readonly untilFree: (lock: string, signal: AbortSignal) => Promise<unknown>
  /** A failure that cost nothing but a plain answer. */
  readonly report: (error: unknown) => void
}

export interface NearhandWorker {
  readonly rules: AnswerRules
  readonly route: Route
  readonly prefetch: Prefetch
  readonly manifests: Manifests
  readonly bridge: PageBridge
  readonly store: Store
  readonly traffic: Traffic
  readonly media: Media
  readonly budget: ErrorBudget
  readonly hosts: Hosts
}

const linkKey = 'linked'
/** Default names of our scripts; a site may serve them under others, and then they are assets like all. */
const ownFiles = ['', '-worker', '-consent', '-peers', '-sw'].map((name) => `/nearhand${name}.js`)

function feedPartsOf(
  manifests: Manifests,
  traffic: Traffic,
  pace: OriginPace,
  now: () => number,
): Omit<FeedParts, 'store' | 'bridge'> {
  return {
    now,
    lists: new ChunkLists(),
    pace,
    hedges: new Hedges(),
    early: new EarlyBodies(),
    mayUsePeers: (path) => manifests.mayUsePeers(path),
    onBad: (source, bytes) => traffic.onBad(source, bytes),
  }
}

/** When a page was linked last, from one life of the worker to the next. */
function linkMemory(state: KeptState, report: World['report']): Pick<BridgeOptions, 'loadLinkedAt' | 'saveLinkedAt'> {
  return {
    loadLinkedAt: () => loadAs(state, linkKey, v.optional(v.number()), undefined, report),
    saveLinkedAt: (at) => void state.save(linkKey, at).catch(report),
  }
}

/** Puts the parts together. Nothing is read or sent before the first event. */
export function createWorker(config: WorkerConfig, world: World): NearhandWorker {
  const { now, report } = world
  const disk = impatient(world.disk, now)
  const traffic = new Traffic({ state: disk.state, tell: world.tellTraffic, report })
  const store = new Store({ disk: disk.store, limitBytes: config.storeLimitBytes, now, report, tell: world.tellStore })
  const place = { origin: world.location.origin, base: config.base }
  const hosts = new Hosts({ state: disk.state, fetch: world.fetch, now, report })
  const pace = new OriginPace(now)
  const origin = new Origin(measured(world.fetch, pace), place, now, (host) => hosts.close(host))
  const pass = new OwnPass(() => (now() + origin.clockOffsetMs) / 1000)
  const bridge = new PageBridge({
    ...world,
    askRelink: () => world.tellPages({ type: 'nearhand:relink' }),
    ...linkMemory(disk.state, report),
    onHolders: (id, holders) => store.noteHolders(id, holders),
    onDuplicate: (bytes) => traffic.onDuplicate(bytes),
    onHeard: (envelope) => void manifests.hear(envelope).catch(report),
    onPass: (token) => pass.take(token),
  })
  const partSource = new PartSource({ bridge, origin, now, mayUsePeers: () => manifests.mayUsePeers() })
  const manifests: Manifests = new Manifests({
    ...world,
    root: config.root,
    origin,
    cache: disk.parts,
    readPart: (id) => partSource.read(id),
    state: disk.state,
    onRule(rule) {
      pass.follow(rule.passes)
      bridge.rule(rule, origin.clockOffsetMs)
      world.tellPages({ type: 'nearhand:rule', peers: rule.peers })
    },
    onUnregister: world.unregister,
    onRevoked: (ids) => ids.forEach((id) => store.drop(id)),
  })
  const media = new Media(disk.state, report)
  const budget = new ErrorBudget(disk.state, now, report)
  const rules = rulesOf(config, place)
  const parts: FeedParts = { store, bridge, ...feedPartsOf(manifests, traffic, pace, now) }
  const pathOf = (url: string): string | undefined => pathToAnswer(new Request(url), rules)
  const prefetch = new Prefetch({ manifests, origin, traffic, parts, pathOf, place, report })
  const route = new Route({
    manifests,
    origin,
    traffic,
    media,
    budget,
    pages: new PageHeads(disk.state, report),
    pass,
    place,
    report,
    fetch: world.fetch,
    parts,
  })
  return { rules, route, prefetch, manifests, bridge, store, traffic, media, budget, hosts }
}

function rulesOf({ urls, patterns }: WorkerConfig, place: SitePlace): AnswerRules {
  const isNamed = compilePatterns(patterns)
  return { ...place, pathOf: compileUrls(urls, place), isNamed, ownFiles: new Set(ownFiles) }
}

/** What no cache answers says how far the origin is, before the first asset is asked of it. */
function measured(fetch: OriginFetch, pace: OriginPace): OriginFetch {
  return (url, init) => (init.cache === 'no-store' ? pace.open(() => fetch(url, init)) : fetch(url, init))
}
