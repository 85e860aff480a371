import type { WorkerToPage } from '../protocol/bridge.ts'
import { trafficChannelName } from '../protocol/bridge.ts'
import { disableWaitMs } from '../protocol/limits.ts'
import { storeChannelName } from '../protocol/store-layout.ts'
import type { WorkerConfig } from '../protocol/worker-config.ts'
import { parseWorkerConfig, workerConfigGlobal } from '../protocol/worker-config.ts'
import { pathOnSite, pathToAnswer } from './answer.ts'
import { createWorker } from './create-worker.ts'
import { within } from './deadline.ts'
import { Disk } from './disk.ts'
import type { GivenPort } from './messages.ts'
import { receiveMessage } from './messages.ts'

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
  const disk = new Disk(caches, indexedDB)
  const worker = start(config, disk)
  let isDisabled = false

  const disable = async (): Promise<void> => {
    isDisabled = true
    worker.traffic.stop()
    // A page that still holds the database open would make its deletion wait for ever.
    await within(disableWaitMs, disk.deleteAll()).catch(report)
    await self.registration.unregister()
  }

  self.addEventListener('install', (event) => event.waitUntil(self.skipWaiting()))
  self.addEventListener('activate', (event) => {
    event.waitUntil(
      Promise.all([self.clients.claim(), disk.deleteOthers().catch(report), worker.manifests.onNavigation()]),
    )
  })
  self.addEventListener('message', (event) => {
    const client = event.source instanceof Client ? event.source.id : ''
    event.waitUntil(receiveMessage(event.data, givenPort(event.ports), client, { ...worker, disable }).catch(report))
  })
  self.addEventListener('fetch', (event) => {
    if (isDisabled) return
    try {
      answer(event, worker, config)
    } catch (error) {
      report(error) // a worker of the site that took ours in may have answered already
    }
  })
}

function answer(event: FetchEvent, { rules, route, manifests }: ReturnType<typeof start>, config: WorkerConfig): void {
  const { request } = event
  if (request.mode === 'navigate') {
    event.waitUntil(manifests.onNavigation())
    if (!config.offlinePages || request.method !== 'GET') return
    const path = pathOnSite(request.url, rules)
    event.respondWith(route.answerPage(request, path, (work) => event.waitUntil(work)))
    return
  }
  const path = pathToAnswer(request, rules)
  if (path !== undefined) event.respondWith(route.answer(request, path))
}

function start(config: WorkerConfig, disk: Disk): ReturnType<typeof createWorker> {
  const storeChannel = new BroadcastChannel(storeChannelName)
  const trafficChannel = new BroadcastChannel(trafficChannelName)
  const relink: WorkerToPage = { type: 'nearhand:relink' }
  return createWorker(config, {
    location: self.location,
    disk,
    fetch: (input: string | Request, init?: RequestInit) => fetch(input, init),
    now: () => Date.now(),
    askRelink() {
      const ask = (pages: readonly Client[]): void => pages.forEach((page) => page.postMessage(relink))
      self.clients.matchAll({ type: 'window' }).then(ask).catch(report)
    },
    tellStore: (message) => storeChannel.postMessage(message),
    tellTraffic: (message) => trafficChannel.postMessage(message),
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
