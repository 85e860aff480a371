import { afterEach, describe, expect, test, vi } from 'vitest'
import { registerWorker, removeWorker, reviveWorker } from '../../sdk/register.ts'
import { FakeClock } from '../fakes/clock.ts'

const scope = 'https://site.test/shop/'

afterEach(() => vi.unstubAllGlobals())

/** A worker that answers each question so, or not at all. */
function fakeWorker(answer?: unknown) {
  const asked: string[] = []
  const worker = {
    postMessage({ type }: { type: string }, [port]: MessagePort[]) {
      asked.push(type)
      if (answer !== undefined) port?.postMessage(answer)
      port?.close()
    },
  } as unknown as ServiceWorker
  return { worker, asked }
}

function fakeContainer(registration: object | undefined, controller?: ServiceWorker): ServiceWorkerContainer {
  const asked: string[] = []
  return {
    asked,
    controller,
    getRegistration: (url: string) => Promise.resolve(asked.push(url) && registration),
  } as unknown as ServiceWorkerContainer
}

function fakeRegistration(active: ServiceWorker | undefined, at = scope) {
  const seen = { unregistrations: 0 }
  return { seen, scope: at, active, unregister: () => Promise.resolve((seen.unregistrations += 1)) }
}

describe('registerWorker()', () => {
  function stub(register: () => Promise<unknown>, ready: Promise<unknown> = Promise.resolve()) {
    const calls: unknown[][] = []
    const serviceWorker = Object.assign(new EventTarget(), {
      ready,
      register: (...args: unknown[]) => {
        calls.push(args)
        return register()
      },
    })
    vi.stubGlobal('navigator', { serviceWorker })
    vi.stubGlobal('location', new URL('https://site.test/shop/page.html'))
    // As of a page that is still loading: it is not waited for.
    vi.stubGlobal('document', { readyState: 'loading' })
    return calls
  }

  test('registers the file for its scope at once, and resolves when a worker is active', async () => {
    let activate = (): void => {}
    const ready = new Promise<void>((resolve) => (activate = resolve))
    const calls = stub(() => Promise.resolve(Object.assign(new EventTarget(), { scope })), ready)
    let isDone = false
    const done = registerWorker('/shop/nearhand-sw.js', '/shop/').then(() => (isDone = true))
    await vi.waitFor(() => expect(calls).toEqual([['/shop/nearhand-sw.js', { scope: '/shop/' }]]))
    expect(isDone).toBe(false)
    activate()
    await done
  })

  test('rejects where the browser does not take the file', async () => {
    stub(() => Promise.reject(new TypeError('Failed to register')))
    await expect(registerWorker('/shop/nearhand-sw.js', '/shop/')).rejects.toThrow('Failed to register')
  })
})

describe('removeWorker()', () => {
  test.each([[true], [undefined]])(
    'unregisters what it told to stop, whether it answers (%s) or not',
    async (answer) => {
      const { worker, asked } = fakeWorker(answer)
      const registration = fakeRegistration(worker)
      const clock = new FakeClock()
      const done = removeWorker(fakeContainer(registration), scope, clock)
      await clock.advance(60_000)
      await done
      expect([asked, registration.seen.unregistrations]).toEqual([['nearhand:disable'], 1])
    },
  )

  test('unregisters one that never became active', async () => {
    const registration = fakeRegistration(undefined)
    await removeWorker(fakeContainer(registration), scope, new FakeClock())
    expect(registration.seen.unregistrations).toBe(1)
  })

  test('leaves a worker of another scope alone', async () => {
    const { worker, asked } = fakeWorker(true)
    const registration = fakeRegistration(worker, 'https://site.test/')
    await removeWorker(fakeContainer(registration), scope, new FakeClock())
    await removeWorker(fakeContainer(undefined), scope, new FakeClock())
    expect([asked, registration.seen.unregistrations]).toEqual([[], 0])
  })
})

describe('reviveWorker()', () => {
  test('asks the worker of the page and that of the scope, one that is both once', async () => {
    const [old, next] = [fakeWorker(true), fakeWorker(true)]
    expect(await reviveWorker(fakeContainer(fakeRegistration(next.worker), old.worker), scope, new FakeClock())).toBe(
      true,
    )
    expect([old.asked, next.asked]).toEqual([['nearhand:enable'], ['nearhand:enable']])
    expect(await reviveWorker(fakeContainer(fakeRegistration(old.worker), old.worker), scope, new FakeClock())).toBe(
      true,
    )
    expect(old.asked).toHaveLength(2)
  })

  test.each([
    ['says something else', 'what?'],
    ['says nothing', undefined],
  ])('is false where one %s', async (_, answer) => {
    const clock = new FakeClock()
    const { worker } = fakeWorker(answer)
    const done = reviveWorker(fakeContainer(fakeRegistration(fakeWorker(true).worker), worker), scope, clock)
    await clock.advance(60_000)
    expect(await done).toBe(false)
  })

  test('is true where there is none', async () => {
    expect(await reviveWorker(fakeContainer(undefined), scope, new FakeClock())).toBe(true)
  })
})
