import { expect, test, vi } from 'vitest'
import { trafficChannelName } from '../../protocol/bridge.ts'
import { rest, until } from '../fakes/clock.ts'
import { channels, scene, status } from './nearhand-scene.ts'

test('Nearhand becomes active with its worker', async () => {
  const { nearhand, states, happened } = scene()
  nearhand.start()
  nearhand.start()
  await rest()
  expect(nearhand.state).toBe('active')
  expect([states, happened]).toEqual([['active'], ['registered']])
})

test('Nearhand is active at once where its worker controls the page, however long the browser takes to register it', () => {
  const { nearhand, container } = scene({ register: () => new Promise(() => {}) })
  Object.assign(container.controller, { scriptURL: 'https://site.example/nearhand-sw.js' })
  nearhand.start()
  expect(nearhand.state).toBe('active')
})

test('Nearhand waits for its worker where another one controls the page', () => {
  const { nearhand, container } = scene({ register: () => new Promise(() => {}) })
  Object.assign(container.controller, { scriptURL: 'https://site.example/their-worker.js' })
  nearhand.start()
  expect(nearhand.state).toBe('starting')
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

test('disable() removes the worker, and enable() brings it back', async () => {
  const { nearhand, happened, states } = scene()
  nearhand.start()
  await rest()
  await nearhand.disable()
  expect(happened).toEqual(['registered', 'nearhand:disable', 'unregistered'])
  nearhand.enable()
  await until(() => nearhand.state === 'active')
  expect(states).toEqual(['active', 'off', 'starting', 'active'])
  expect(happened.slice(3), 'the worker that lives on is told').toEqual(['registered', 'nearhand:enable'])
})

test('enable() waits for the removal that it undoes', async () => {
  const { nearhand, happened } = scene()
  nearhand.start()
  await rest()
  void nearhand.disable()
  nearhand.enable()
  await until(() => nearhand.state === 'active')
  expect(happened.slice(1)).toEqual(['nearhand:disable', 'unregistered', 'registered', 'nearhand:enable'])
})

test('enable() leaves the page off where the worker does not say that it answers again', async () => {
  vi.spyOn(console, 'warn').mockReturnValue()
  const { nearhand, states } = scene({ answer: (type) => type !== 'nearhand:enable' })
  nearhand.start()
  await rest()
  await nearhand.disable()
  nearhand.enable()
  await until(() => nearhand.state === 'off')
  expect(states).toEqual(['active', 'off', 'starting', 'off'])
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
  expect([off.nearhand.state, off.memory.get('off')]).toEqual(['off', '1'])

  const on = scene({ query: '?nearhand=on' })
  on.memory.set('off', '1')
  on.nearhand.start()
  await until(() => on.nearhand.state === 'active')
})

test('Nearhand stays off where it was switched off, and goes off when another tab does that', async () => {
  const later = scene()
  later.memory.set('off', '1')
  later.nearhand.start()
  expect([later.nearhand.state, later.happened]).toEqual(['off', []])

  const open = scene()
  open.nearhand.start()
  await rest()
  open.memory.set('off', '1')
  open.actions['remembered']?.()
  expect(open.nearhand.state).toBe('off')
  open.memory.set('off', undefined)
  open.actions['remembered']?.()
  await until(() => open.nearhand.state === 'active')
})

test('Nearhand stays off after an error, whatever another tab says', async () => {
  vi.spyOn(console, 'warn').mockReturnValue()
  const { nearhand, actions } = scene({ register: () => Promise.reject(new TypeError('script error')) })
  nearhand.start()
  await until(() => nearhand.state === 'off')
  actions['remembered']?.()
  expect(nearhand.state).toBe('off')
})

test('Nearhand is unsupported on a page that its worker can never control', async () => {
  const { nearhand, happened } = scene({ base: '/shop/' })
  nearhand.start()
  await rest()
  expect([nearhand.state, happened]).toEqual(['unsupported', []])
})

test('Nearhand goes on without peers where they fail, and tries them again', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  // Node has no RTCPeerConnection: the exchange cannot start.
  const { nearhand, clock } = scene({ consent: 'granted' })
  nearhand.start()
  await until(() => warn.mock.calls.length === 1)
  expect(warn.mock.calls[0]?.[0]).toBe('Nearhand goes on without peers')
  expect(nearhand.state).toBe('active')
  await clock.advance(5000)
  expect(warn).toHaveBeenCalledTimes(2)
  nearhand.consent(false)
  await clock.advance(600_000)
  expect(warn).toHaveBeenCalledTimes(2)
})

test('connected() resolves by what the tab with the connections tells', async () => {
  const { nearhand, otherTab, clock, memory } = scene()
  memory.set('day', '5 11574')
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
  const asked: unknown[] = []
  const ports: MessagePort[] = []
  const postMessage = (message: unknown, transfer: MessagePort[]): void => {
    asked.push(message)
    ports.push(...transfer)
  }
  Object.assign(container, { controller: { postMessage } })
  container.dispatchEvent(new Event('controllerchange'))
  otherTab.postMessage({ type: 'status', status })
  await until(() => asked.length > 0)
  expect([asked, isConnected], 'it still reads what the site signed').toEqual([[{ type: 'nearhand:ready' }], false])
  ports[0]?.postMessage(true)
  await connected
})

test('connected() says where there is no WebRTC', async () => {
  const { nearhand } = scene({ hasWebRtc: false })
  nearhand.start()
  await expect(nearhand.connected()).rejects.toThrow('no WebRTC')
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
  const worker = new BroadcastChannel(trafficChannelName('/'))
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
