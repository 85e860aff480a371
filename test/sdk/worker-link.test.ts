import { afterEach, expect, test } from 'vitest'
import type { TrafficTotals } from '../../protocol/bridge.ts'
import { parsePageToWorker } from '../../protocol/bridge.ts'
import { askTotals, WorkerLink } from '../../sdk/worker-link.ts'
import { FakeClock, rest, until } from '../fakes/clock.ts'

const totals: TrafficTotals = {
  bytes: { store: 1, peers: 2, origin: 3 },
  duplicateBytes: 4,
  requests: 5,
  fallbacks: 6,
  badChunks: 7,
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

test('askTotals() gives what the worker counted', async () => {
  expect(await askTotals(fakeWorker(totals).worker, new FakeClock())).toEqual(totals)
})

test('askTotals() gives nothing where the worker is silent or of another build', async () => {
  const clock = new FakeClock()
  const silent = askTotals(fakeWorker().worker, clock)
  await clock.advance(2000)
  expect(await silent).toBeUndefined()
  expect(await askTotals(fakeWorker({ bytes: 1 }).worker, clock)).toBeUndefined()
})

test('WorkerLink counts as linked only when the worker has said something after it', async () => {
  const clock = new FakeClock()
  const linked: string[] = []
  const link = async (answer?: unknown) => {
    const { worker, said } = fakeWorker(answer)
    const one = new WorkerLink(
      clock,
      () => worker,
      (port) => ports.push(port),
      () => linked.push('linked'),
    )
    const done = one.link()
    await rest()
    await clock.advance(2000)
    await done
    return said
  }
  expect(await link()).toEqual(['nearhand:link', 'nearhand:stats'])
  expect(linked).toEqual([])
  await link(totals)
  expect(linked).toEqual(['linked'])
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
