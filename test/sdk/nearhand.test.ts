import { afterEach, expect, test, vi } from 'vitest'
import { trafficChannelName } from '../../protocol/bridge.ts'
import type { Memory, MemoryKey } from '../../sdk/memory.ts'
import { Nearhand } from '../../sdk/nearhand.ts'
import type { NearhandOptions } from '../../sdk/options.ts'
import { resolveOptions } from '../../sdk/options.ts'
import type { Page } from '../../sdk/page.ts'
import type { PeeringStatus } from '../../sdk/peering.ts'
import { FakeClock, rest, until } from '../fakes/clock.ts'

const channels: BroadcastChannel[] = []
const shown: (() => void)[] = []
afterEach(() => {
  vi.restoreAllMocks()
  for (const hide of shown.splice(0)) hide()
  for (const channel of channels.splice(0)) channel.close()
})

const status: PeeringStatus = {
  isLinked: true,
  peers: [{ id: 'b', roundTripMs: undefined, bytesPerSecond: 0, receivedBytes: 0, sentBytes: 0 }],
  uploadedBytes: 5,
  bannedPeers: 1,
}

/** A browser with a service worker that does nothing, and another tab that holds the connections. */
function scene(options: NearhandOptions & { query?: string; register?: () => Promise<void>; isSecure?: boolean } = {}) {
  const { query = '', register = () => Promise.resolve(), isSecure = true, ...site } = options
  const url = `https://site.example/${query}`
  const remembered = new Map<MemoryKey, string>()
  const memory: Memory = {
    get: (key) => remembered.get(key),
    set: (key, value) => (value === undefined ? remembered.delete(key) : remembered.set(key, value)),
  }
  const actions: Record<string, () => void> = {}
  const happened: string[] = []
  const registration = {
    scope: 'https://site.example/',
    active: {
      postMessage(message: { type: string }, [port]: MessagePort[]) {
        happened.push(message.type)
        port?.postMessage(true)
      },
    },
    unregister: () => Promise.resolve(happened.push('unregistered')),
  }
  const container = Object.assign(new EventTarget(), {
    controller: { postMessage() {} },
    getRegistration: () => Promise.resolve(registration),
  })
  const clock = new FakeClock()
  const page: Page = {
    url,
    clock,
    memory,
    locks: undefined,
    serviceWorkers: isSecure ? (container as unknown as ServiceWorkerContainer) : undefined,
    register: () => {
      happened.push('registered')
      return register()
    },
    hasWebRtc: false,
    hasPrivacyControl: false,
    line: undefined,
    events: {
      hidden: (action) => (actions['hidden'] = action),
      shown: (action) => (actions['shown'] = action),
      remembered: (action) => (actions['remembered'] = action),
      lineChanged: () => {},
    },
  }
  const nearhand = new Nearhand(page, resolveOptions(site, url))
  const states: string[] = []
  nearhand.addEventListener('state', ({ detail }) => states.push(detail))
  shown.push(() => actions['hidden']?.())
  const otherTab = new BroadcastChannel('nearhand-tabs')
  channels.push(otherTab)
  return { nearhand, happened, states, remembered, memory, actions, clock, container, otherTab }
}

test('Nearhand becomes active with its worker', async () => {
  const { nearhand, states, happened } = scene()
  nearhand.start()
  nearhand.start()
  await rest()
  expect(nearhand.state).toBe('active')
  expect([states, happened]).toEqual([['active'], ['registered']])
})

test('Nearhand says where it is unsupported, and does nothing there', async () => {
  const { nearhand, happened } = scene({ isSecure: false })
  nearhand.start()
  await rest()
  expect([nearhand.state, happened]).toEqual(['unsupported', []])
  await expect(nearhand.connected()).rejects.toThrow('unsupported')
  expect(await nearhand.stats()).toMatchObject({ requests: 0, peers: [] })
})

test('Nearhand goes off where the worker cannot be registered, and throws nothing', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  const { nearhand } = scene({ register: () => Promise.reject(new TypeError('script error')) })
  nearhand.start()
  await until(() => nearhand.state === 'off')
  expect(warn).toHaveBeenCalledOnce()
  await expect(nearhand.connected()).rejects.toThrow('Nearhand is off')
})

test('Nearhand goes off at an error of its own, and throws nothing', async () => {
  vi.spyOn(console, 'warn').mockReturnValue()
  const { nearhand, memory } = scene()
  nearhand.start()
  await rest()
  memory.get = () => {
    throw new Error('out of order')
  }
  expect(() => nearhand.consent(true)).not.toThrow()
  expect(nearhand.state).toBe('off')
})

test('Nearhand remembers the visitor’s word', async () => {
  const { nearhand, remembered } = scene({ consent: 'granted' })
  nearhand.start()
  expect(nearhand.consentState).toBe('granted')
  nearhand.consent(false)
  expect([nearhand.consentState, remembered.get('nearhand-consent')]).toEqual(['denied', 'denied'])
  nearhand.consent(true)
  expect(nearhand.consentState).toBe('granted')
})

test('disable() removes the worker, and enable() brings it back', async () => {
  const { nearhand, happened, states } = scene()
  nearhand.start()
  await rest()
  await nearhand.disable()
  expect(happened).toEqual(['registered', 'nearhand:disable', 'unregistered'])
  nearhand.enable()
  await until(() => nearhand.state === 'active')
  expect(states).toEqual(['active', 'off', 'starting', 'active'])
})

test('disable() holds for a worker that was only about to be there', async () => {
  let registered = (): void => {}
  const registering = new Promise<void>((resolve) => (registered = resolve))
  const { nearhand, happened } = scene({ register: () => registering })
  nearhand.start()
  await nearhand.disable()
  registered()
  await until(() => happened.filter((step) => step === 'unregistered').length === 2)
  expect(nearhand.state).toBe('off')
})

test('?nearhand=off disables for good, ?nearhand=on enables', async () => {
  const off = scene({ query: '?nearhand=off' })
  off.nearhand.start()
  await until(() => off.happened.includes('unregistered'))
  expect([off.nearhand.state, off.remembered.get('nearhand-off')]).toEqual(['off', '1'])

  const on = scene({ query: '?nearhand=on' })
  on.remembered.set('nearhand-off', '1')
  on.nearhand.start()
  await until(() => on.nearhand.state === 'active')
})

test('Nearhand stays off where it was switched off, and goes off when another tab does that', async () => {
  const later = scene()
  later.remembered.set('nearhand-off', '1')
  later.nearhand.start()
  expect([later.nearhand.state, later.happened]).toEqual(['off', []])

  const open = scene()
  open.nearhand.start()
  await rest()
  open.remembered.set('nearhand-off', '1')
  open.actions['remembered']?.()
  expect(open.nearhand.state).toBe('off')
})

test('connected() resolves by what the tab with the connections tells', async () => {
  const { nearhand, otherTab, clock } = scene()
  nearhand.start()
  await rest()
  const peers: unknown[] = []
  nearhand.addEventListener('peers', ({ detail }) => peers.push(detail))
  const connected = nearhand.connected()
  otherTab.postMessage({ type: 'later' })
  otherTab.postMessage({ type: 'status', status })
  await connected
  expect(await Promise.all([nearhand.stats(), clock.advance(2000)])).toMatchObject([
    { uploadedBytes: 5, bannedPeers: 1, peers: status.peers },
    undefined,
  ])
  expect(peers).toEqual([status.peers])
})

test('connected() waits for a page that the worker controls', async () => {
  const { nearhand, otherTab, container } = scene()
  Object.assign(container, { controller: null })
  nearhand.start()
  await rest()
  let isConnected = false
  const connected = nearhand.connected().then(() => (isConnected = true))
  otherTab.postMessage({ type: 'status', status })
  await rest()
  expect(isConnected).toBe(false)
  Object.assign(container, { controller: {} })
  container.dispatchEvent(new Event('controllerchange'))
  otherTab.postMessage({ type: 'status', status })
  await connected
})

test('connected() ends with its signal', async () => {
  const { nearhand } = scene()
  nearhand.start()
  await expect(nearhand.connected({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
})

test('Nearhand passes traffic on, and lets go of its channels while the page is in the back/forward cache', async () => {
  const { nearhand, actions } = scene()
  const seen: string[] = []
  nearhand.addEventListener('traffic', ({ detail }) => seen.push(detail.path))
  nearhand.start()
  await until(() => nearhand.state === 'active')
  const worker = new BroadcastChannel(trafficChannelName)
  channels.push(worker)
  const traffic = (path: string) => ({ path, size: 1, chunkSize: 65_536, chunks: [] })
  worker.postMessage('nonsense')
  worker.postMessage(traffic('/first'))
  await until(() => seen.length === 1)
  actions['hidden']?.()
  worker.postMessage(traffic('/hidden'))
  await rest()
  actions['shown']?.()
  worker.postMessage(traffic('/again'))
  await until(() => seen.length === 2)
  expect(seen).toEqual(['/first', '/again'])
})
