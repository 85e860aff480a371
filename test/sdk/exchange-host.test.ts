import { expect, test } from 'vitest'
import type { ExchangeToPage } from '../../sdk/exchange-messages.ts'
import type { ExchangeHost, WorkerPort } from '../../sdk/exchange-host.ts'
import { startInWorker } from '../../sdk/exchange-host.ts'
import { FakeClock, rest } from '../fakes/clock.ts'

class FakeWorker implements WorkerPort {
  onmessage: WorkerPort['onmessage'] = null
  onerror: WorkerPort['onerror'] = null
  readonly heard: unknown[] = []
  isTerminated = false

  postMessage(message: unknown): void {
    this.heard.push(message)
  }

  terminate(): void {
    this.isTerminated = true
  }

  say(data: unknown): void {
    this.onmessage?.call(this.#self, new MessageEvent('message', { data }))
  }

  /** Says whether the site's own `onerror` is spared. @param lineno 0 where the file did not load */
  fail(lineno: number): boolean {
    const event = Object.assign(new Event('error', { cancelable: true }), { lineno, message: 'It broke' })
    // A browser's class that Node has not.
    this.onerror?.call(this.#self, event as unknown as ErrorEvent)
    return event.defaultPrevented
  }

  get #self(): Worker {
    return this as unknown as Worker
  }
}

function scene(failsOn?: ExchangeToPage['type']) {
  const clock = new FakeClock()
  const worker = new FakeWorker()
  const received: ExchangeToPage[] = []
  const failures: unknown[] = []
  const events = {
    received: (message: ExchangeToPage) => {
      received.push(message)
      if (message.type === failsOn) throw new Error('Cannot take it')
    },
    failed: (error: unknown) => failures.push(error),
  }
  const starting: Promise<ExchangeHost | undefined> = startInWorker(worker, events, clock)
  starting.catch(() => {})
  return { clock, worker, received, failures, starting }
}

const peers = { type: 'peers', peers: [], uploadedBytes: 0 }

test('startInWorker() passes messages on both ways', async () => {
  const { clock, worker, received, starting } = scene()
  worker.say({ type: 'started' })
  const host = await starting
  worker.say(peers)
  host?.post({ type: 'stop' })
  host?.close()
  expect(received).toEqual([peers])
  expect(worker.heard).toEqual([{ type: 'stop' }])
  expect(worker.isTerminated).toBe(true)
  expect(clock.waiting).toBe(0)
})

test('startInWorker() skips what it cannot read', async () => {
  const { worker, received, failures, starting } = scene()
  worker.say({ type: 'started' })
  await starting
  for (const message of [undefined, { type: 'later' }, { ...peers, more: 1 }, peers]) worker.say(message)
  expect(received).toEqual([peers])
  expect(failures).toEqual([])
})

test('startInWorker() tells of an error in the page’s part, and does not throw it', async () => {
  const { worker, failures, starting } = scene('peers')
  worker.say({ type: 'started' })
  await starting
  worker.say(peers)
  expect(failures).toEqual([new Error('Cannot take it')])
})

test('startInWorker() tells of an error in the worker, and keeps it from the site', async () => {
  const { worker, failures, starting } = scene()
  worker.say({ type: 'started' })
  await starting
  expect(worker.fail(12)).toBe(true)
  expect(failures).toEqual([new Error('Cannot run the exchange: It broke')])
})

test('startInWorker() gives undefined where the file does not load', async () => {
  const { worker, starting } = scene()
  expect(worker.fail(0)).toBe(true)
  expect(await starting).toBeUndefined()
  expect(worker.isTerminated).toBe(true)
})

test('startInWorker() throws where the worker throws at its start: in the page it would again', async () => {
  const { worker, starting } = scene()
  expect(worker.fail(12)).toBe(true)
  await expect(starting).rejects.toThrow('Cannot start the exchange: It broke')
  expect(worker.isTerminated).toBe(true)
})

test('startInWorker() throws where the worker says nothing', async () => {
  const { clock, worker, starting } = scene()
  await clock.advance(10_000)
  await rest()
  await expect(starting).rejects.toThrow('says nothing')
  expect(worker.isTerminated).toBe(true)
})
