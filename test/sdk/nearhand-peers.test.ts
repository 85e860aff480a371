import { expect, test, vi } from 'vitest'
import type { CreatePeering } from '../../sdk/peers.ts'
import { rest, until } from '../fakes/clock.ts'
import { MapMemory } from '../fakes/map-memory.ts'
import { scene, status } from './nearhand-scene.ts'

/** The file that connects to others: `asked` for by these URLs, `running` so many times now. */
function peersFile(missesFirst = 0) {
  const file = { asked: [] as string[], running: 0, known: [] as unknown, gate: Promise.resolve() }
  const createPeering: CreatePeering = ({ known }) => ({
    status,
    start() {
      file.running += 1
      file.known = known
      return Promise.resolve()
    },
    stop: () => (file.running -= 1),
    relink() {},
    limitUpload() {},
  })
  const loadPeers = async (url: string) => {
    file.asked.push(url)
    await file.gate
    if (file.asked.length <= missesFirst) throw new TypeError('not found')
    return { createPeering }
  }
  return { file, loadPeers }
}

test('Nearhand asks for the file of peers after consent alone, and lets go of them after a no', async () => {
  const { file, loadPeers } = peersFile()
  const { nearhand } = scene({ loadPeers, consent: 'off' })
  nearhand.start()
  await rest()
  expect([nearhand.state, file.asked]).toEqual(['active', []])
  nearhand.consent(true)
  await until(() => file.running === 1)
  expect(file.asked).toEqual(['https://site.example/nearhand-peers.js'])
  nearhand.consent(false)
  expect(file.running).toBe(0)
})

test.each([
  [false, ['a'.repeat(32)]],
  // Peers that see a relay's address alone would know it again by its coming back to them at once.
  [true, undefined],
])('Nearhand names the peers of the page before: relay only is %j', async (relay, known) => {
  const { file, loadPeers } = peersFile()
  const tabMemory = new MapMemory()
  tabMemory.set('peers', 'a'.repeat(32))
  const { nearhand } = scene({ loadPeers, consent: 'granted', relay, tabMemory })
  nearhand.start()
  await until(() => file.running === 1)
  expect(file.known).toEqual(known)
})

test('Nearhand connects nobody by a file of peers that comes after a no, and once after another yes', async () => {
  const { file, loadPeers } = peersFile()
  let load = (): void => {}
  file.gate = new Promise((resolve) => (load = resolve))
  const { nearhand } = scene({ loadPeers, consent: 'granted' })
  nearhand.start()
  await until(() => file.asked.length === 1)
  nearhand.consent(false)
  nearhand.consent(true)
  nearhand.consent(false)
  load()
  await rest()
  expect(file.running).toBe(0)
  nearhand.consent(true)
  await rest()
  expect(file.running).toBe(1)
})

test('Nearhand stays active where the file of peers does not load, and asks for it again by other fragments', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  const { file, loadPeers } = peersFile(2)
  const { nearhand, clock } = scene({ loadPeers, consent: 'granted' })
  nearhand.start()
  await until(() => warn.mock.calls.length === 1)
  expect(warn.mock.calls[0]?.[0]).toBe('Nearhand goes on without peers')
  expect(nearhand.state).toBe('active')
  await clock.advance(60_000)
  expect(file.asked.map((url) => new URL(url).hash)).toEqual(['', '#1', '#2'])
  expect([file.running, nearhand.state]).toEqual([1, 'active'])
})

test('Nearhand asks again for a file of peers that never comes', async () => {
  vi.spyOn(console, 'warn').mockReturnValue()
  const { file, loadPeers } = peersFile()
  file.gate = new Promise(() => {})
  const { nearhand, clock } = scene({ loadPeers, consent: 'granted' })
  nearhand.start()
  await until(() => file.asked.length === 1)
  file.gate = Promise.resolve()
  await clock.advance(40_000)
  expect([file.asked.length, file.running, nearhand.state]).toEqual([2, 1, 'active'])
})
