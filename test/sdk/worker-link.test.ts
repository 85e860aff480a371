import { afterEach, expect, test } from 'vitest'
import type { WorkerStats } from '../../protocol/bridge.ts'
import { parsePageToWorker } from '../../protocol/bridge.ts'
import { askStats, WorkerLink } from '../../sdk/worker-link.ts'
import { FakeClock, until } from '../fakes/clock.ts'

const totals: WorkerStats = {
  bytes: { store: 1, peers: 2, origin: 3 },
  duplicateBytes: 4,
  prefetchedBytes: { peers: 0, origin: 0 },
  requests: 5,
  fallbacks: 6,
  badChunks: 7,
  failures: 1,
  isSpent: false,
}
const ports: MessagePort[] = []
afterEach(() => {
  for (const port of ports.splice(0)) port.close()
})

/** A service worker as far as a page can tell. */
function fakeWorker(answer?: unknown) {
  const said: string[] = []
  const postMessage = (message: unknown, transfer: readonly MessagePort[] = []): void => {
    const parsed = parsePageToWorker(message)
    if (parsed) said.push(parsed.type)
    ports.push(...transfer)
    if (parsed?.type === 'nearhand:stats') for (const port of transfer) if (answer) port.postMessage(answer)
  }
  return { worker: { postMessage } as unknown as ServiceWorker, said }
}

test('askStats() gives what the worker counted', async () => {
  expect(await askStats(fakeWorker(totals).worker, new FakeClock())).toEqual(totals)
})

test('askStats() gives nothing where the worker is silent or of another build', async () => {
  const clock = new FakeClock()
  const silent = askStats(fakeWorker().worker, clock)
  await clock.advance(2000)
  expect(await silent).toBeUndefined()
  expect(await askStats(fakeWorker({ bytes: 1 }).worker, clock)).toBeUndefined()
})

/** A link to `worker`, what the exchange was given, and how often the worker counted as linked. */
function scene(worker: ServiceWorker) {
  const clock = new FakeClock()
  const seen = { given: 0, linked: 0 }
  const link = new WorkerLink(
    clock,
    () => worker,
    (port) => {
      ports.push(port)
      seen.given += 1
    },
    () => (seen.linked += 1),
  )
  return { clock, seen, link }
}

test('WorkerLink counts as linked only when the worker has said something after it', async () => {
  const { worker, said } = fakeWorker(totals)
  const { link, seen } = scene(worker)
  const done = link.link()
  expect(seen.linked).toBe(0)
  await done
  expect([said, seen]).toEqual([['nearhand:link', 'nearhand:stats'], { given: 1, linked: 1 }])
})

test('WorkerLink takes a late answer, and links again where none comes', async () => {
  const { worker } = fakeWorker()
  const { clock, link, seen } = scene(worker)
  const done = link.link()
  await clock.advance(9999)
  expect(seen).toEqual({ given: 1, linked: 0 })
  await clock.advance(1 + 19_999)
  expect(seen).toEqual({ given: 2, linked: 0 })
  ports.at(-1)?.postMessage(totals)
  await done
  expect(seen).toEqual({ given: 2, linked: 1 })
})

test('WorkerLink leaves a worker of another build alone', async () => {
  const { worker } = fakeWorker({ bytes: 1 })
  const { link, seen } = scene(worker)
  await link.link()
  expect(seen).toEqual({ given: 1, linked: 0 })
})

test('WorkerLink does not count as linked what was unlinked meanwhile', async () => {
  const linked: string[] = []
  const { worker, said } = fakeWorker(totals)
  const one = new WorkerLink(
    new FakeClock(),
    () => worker,
    (port) => ports.push(port),
    () => linked.push('linked'),
  )
  const done = one.link()
  one.unlink()
  await done
  await until(() => said.includes('nearhand:unlink'))
  expect(linked).toEqual([])
})

test('WorkerLink does nothing without a worker', async () => {
  const given: MessagePort[] = []
  const one = new WorkerLink(
    new FakeClock(),
    () => undefined,
    (port) => given.push(port),
    () => {},
  )
  await one.link()
  one.unlink()
  expect(given).toEqual([])
})
