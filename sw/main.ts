import { trafficChannelName } from '../protocol/bridge.ts'
import { deviceWaitMs, disableWaitMs } from '../protocol/limits.ts'
import { deviceNames } from '../protocol/store-layout.ts'
import type { WorkerConfig } from '../protocol/worker-config.ts'
import { parseWorkerConfig, workerConfigGlobal } from '../protocol/worker-config.ts'
import { compileUrls } from '../protocol/url-rules.ts'
import { otherHostOf, pathToAnswer } from './answer.ts'
import { isMedia } from './media.ts'
import { createWorker } from './create-worker.ts'
import { within } from './deadline.ts'
import { Disk } from './disk.ts'
import type { GivenPort } from './messages.ts'
import { receiveMessage } from './messages.ts'
import { planStaticRoutes } from './static-routes.ts'

/*
 * Entry of the service worker: the only file that knows its globals. Events come in here, and only here it is decided
 * whether they concern us. Without a valid configuration nothing is listened to, so that the site is as without us.
 */
declare const self: ServiceWorkerGlobalScope

const config = readConfig()
if (config) listen(config)

function readConfig(): WorkerConfig | undefined {
  try {
    return parseWorkerConfig(Reflect.get(self, workerConfigGlobal))
  } catch (error) {
    report(error)
    return undefined
  }
}

function listen(config: WorkerConfig): void {
  const disk = new Disk(caches, indexedDB, config.base)
  const worker = start(config, disk, () => void disable().catch(report))
  if (config.urls?.hosts.length) void worker.hosts.load()
  // A page keeps an unregistered worker, which the browser may stop and start again: the mark outlives that.
  let isOff: boolean | undefined
  const switched = within(deviceWaitMs, disk.isOff()).then((isMarked) => (isOff ??= isMarked === true), report)

  const disable = async (): Promise<void> => {
    isOff = true
    worker.traffic.stop()
    // A page that still holds the database open would make its deletion wait for ever.
    await within(disableWaitMs, disk.switchOff()).catch(report)
    await self.registration.unregister()
  }
  const enable = async (): Promise<void> => {
    await disk.switchOn()
    isOff = false
  }
  const claim = async (): Promise<void> => {
    const open = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
    const had = new Set((await self.clients.matchAll({ type: 'window' })).map(({ id }) => id))
    const ids = open.map(({ id }) => id)
    await within(
      deviceWaitMs,
      worker.media.adopt(
        ids.filter((id) => !had.has(id)),
        ids,
      ),
    )
    await self.clients.claim()
  }

  self.addEventListener('install', (event) => {
    addStaticRoutes(event, config).catch(report)
    event.waitUntil(Promise.all([self.skipWaiting(), disk.switchOn()]))
  })
  self.addEventListener('activate', (event) => {
    event.waitUntil(claim().catch(report))
    // The browser asks for pages while the worker starts. Where pages are not answered, it needs not.
    if (config.offlinePages || config.pinsPages)
      event.waitUntil(self.registration.navigationPreload?.enable().catch(report))
    // Requests wait for the activation: it must wait for nobody, least of all for the origin.
    void Promise.all([disk.deleteOthers(), worker.manifests.onNavigation()]).catch(report)
  })
  self.addEventListener('message', (event) => {
    const client = event.source instanceof Client ? event.source.id : ''
    const parts = { ...worker, disable, enable }
    event.waitUntil(receiveMessage(event.data, givenPort(event.ports), client, parts).catch(report))
  })
  self.addEventListener('fetch', (event) => {
    if (isOff || worker.budget.isSpent) return
    try {
      answer(event, worker, config, async () => {
        await switched
        return isOff === true
      })
    } catch (error) {
      report(error) // a worker of the site that took ours in may have answered already
    }
  })
}

/** Where the browser has them (https://w3c.github.io/ServiceWorker/#dom-installevent-addroutes). */
async function addStaticRoutes(event: ExtendableEvent, config: WorkerConfig): Promise<void> {
  const rules = planStaticRoutes(config, self.location.href)
  const add: unknown = Reflect.get(event, 'addRoutes')
  if (typeof add === 'function' && rules.length > 0) await add.call(event, rules)
}

function answer(
  event: FetchEvent,
  { rules, route, manifests, media, hosts }: ReturnType<typeof start>,
  config: WorkerConfig,
  isOff: () => Promise<boolean>,
): void {
  const { request } = event
  if (request.mode === 'navigate') {
    event.waitUntil(isOff().then((isNot) => (isNot ? undefined : manifests.onNavigation())))
    if (request.method !== 'GET' || !(config.offlinePages || config.pinsPages)) return
    const path = config.offlinePages ? compileUrls(undefined, rules)(request.url) : undefined
    const load = async (): Promise<Response> => {
      const preloaded: unknown = await event.preloadResponse.catch(report)
      return preloaded instanceof Response ? preloaded : fetch(request)
    }
    event.respondWith(route.answerPage(request, path, load, event.resultingClientId, (work) => event.waitUntil(work)))
    return
  }
  const path = pathToAnswer(request, rules)
  if (path === undefined) return
  const host = otherHostOf(request.url, rules)
  // What plays, and began with us, goes on with us.
  if (host !== undefined && !hosts.isOpen(host) && !(isMedia(request) && hosts.wasOpen(host))) {
    const left = isMedia(request) ? media.leave(event.clientId, path) : undefined
    event.waitUntil(Promise.all([hosts.check(request.url), left]))
    return
  }
  event.respondWith(isOff().then((isNot) => (isNot ? fetch(request) : route.answer(request, path, event.clientId))))
}

function start(config: WorkerConfig, disk: Disk, unregister: () => void): ReturnType<typeof createWorker> {
  const storeChannel = new BroadcastChannel(deviceNames(config.base).storeChannel)
  const trafficChannel = new BroadcastChannel(trafficChannelName(config.base))
  return createWorker(config, {
    location: self.location,
    disk,
    fetch: (input: string | Request, init?: RequestInit) => fetch(input, init),
    now: () => Date.now(),
    random: Math.random,
    tellPages(message) {
      const tell = (pages: readonly Client[]): void => pages.forEach((page) => page.postMessage(message))
      self.clients.matchAll({ type: 'window' }).then(tell).catch(report)
    },
    unregister,
    tellStore: (message) => storeChannel.postMessage(message),
    tellTraffic: (message) => trafficChannel.postMessage(message),
    untilFree: async (lock, signal) => navigator.locks.request(lock, { signal }, () => {}),
    report,
  })
}

function givenPort([port]: readonly MessagePort[]): GivenPort | undefined {
  return (
    port && {
      listen: (hear) => (port.onmessage = (event: MessageEvent<unknown>) => hear(event.data)),
      post: (message) => port.postMessage(message),
      close: () => port.close(),
    }
  )
}

function report(error: unknown): void {
  console.debug('nearhand:', error)
}
