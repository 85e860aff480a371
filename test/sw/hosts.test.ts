import { expect, test } from 'vitest'
import { hostOpenMs, hostPauseMs } from '../../protocol/limits.ts'
import { Hosts } from '../../sw/hosts.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'

const host = 'https://media.test'
const url = `${host}/a.mp4?token=1`

function open(answer: () => Response, { state } = new MemoryDisk()) {
  const seen: [string, RequestInit][] = []
  const scene = { now: 1000, answer, seen }
  const hosts = new Hosts({
    state,
    fetch(asked, init) {
      seen.push([asked, init])
      return Promise.resolve().then(() => scene.answer())
    },
    now: () => scene.now,
    report: () => {},
  })
  return { hosts, scene }
}

const blocked = (): Response => {
  throw new TypeError('Failed to fetch') // what CORS, CSP and a broken line look like
}

test('Hosts opens a host that was read once, without credentials, for a day', async () => {
  const { hosts, scene } = open(() => new Response('a', { status: 206 }))
  expect(hosts.isOpen(host)).toBe(false)
  await hosts.check(url)
  expect(hosts.isOpen(host)).toBe(true)
  await hosts.check(url)
  expect(scene.seen).toHaveLength(1)
  expect(scene.seen[0]).toMatchObject([url, { mode: 'cors', credentials: 'omit', redirect: 'error' }])
  scene.now += hostOpenMs
  expect(hosts.isOpen(host)).toBe(false)
})

test.each([
  ['cannot be read', blocked],
  ['says no', () => new Response('no', { status: 403 })],
])('Hosts leaves a host alone that %s, and tries again after a while', async (_, answer) => {
  const { hosts, scene } = open(answer)
  await hosts.check(url)
  await hosts.check(url)
  expect([hosts.isOpen(host), scene.seen.length]).toEqual([false, 1])
  scene.now += hostPauseMs
  scene.answer = () => new Response('a')
  await hosts.check(url)
  expect([hosts.isOpen(host), scene.seen.length]).toEqual([true, 2])
})

test('Hosts closes a host that cannot be read any more, also for later lives of the worker', async () => {
  const disk = new MemoryDisk()
  const { hosts } = open(() => new Response('a'), disk)
  await hosts.check(url)
  const second = open(blocked, disk)
  await second.hosts.load()
  expect(second.hosts.isOpen(host)).toBe(true)
  second.hosts.close(host)
  expect([second.hosts.isOpen(host), second.hosts.wasOpen(host)]).toEqual([false, true])
  await second.hosts.check(url)
  expect(second.scene.seen, 'not again at once').toEqual([])
  const third = open(blocked, disk)
  await third.hosts.load()
  expect(third.hosts.isOpen(host)).toBe(false)
})

test('Hosts asks nothing of a host that an earlier life could read, also before it knows that', async () => {
  const disk = new MemoryDisk()
  await open(() => new Response('a'), disk).hosts.check(url)
  const { hosts, scene } = open(blocked, disk)
  const loading = hosts.load()
  await hosts.check(url)
  await loading
  expect([hosts.isOpen(host), scene.seen]).toEqual([true, []])
})

test.each([
  ['no record', 7],
  ['a day that never ends', { [host]: Number.MAX_VALUE }],
  ['no number', { [host]: 'x' }],
])('Hosts opens nothing by what a script wrote: %s', async (_, kept) => {
  const disk = new MemoryDisk()
  await disk.state.save('hosts', kept)
  const { hosts } = open(blocked, disk)
  await hosts.load()
  expect(hosts.isOpen(host)).toBe(false)
})
