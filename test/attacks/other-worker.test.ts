import { describe, expect, test } from 'vitest'
import { removeWorker, reviveWorker } from '../../sdk/register.ts'
import { FakeClock } from '../fakes/clock.ts'

const ours = 'https://www.example.org/shop/'

/** A site whose own service worker has this scope, the nearest around our folder. */
function siteWith(scope: string) {
  const happened: string[] = []
  const registration = {
    scope,
    active: { postMessage: () => void happened.push('told') },
    unregister: async () => happened.push('unregistered'),
  }
  const container = { controller: null, getRegistration: async () => registration }
  // Browser classes that Node has not: only these members are used.
  return { happened, container: container as unknown as ServiceWorkerContainer }
}

describe('another worker of the site', () => {
  test.each(['https://www.example.org/', 'https://www.example.org/shop/cart/'])(
    'with the scope %s is neither told anything nor removed by disable()',
    async (scope) => {
      const { happened, container } = siteWith(scope)
      await removeWorker(container, ours, new FakeClock())
      expect(happened).toEqual([])
    },
  )

  test('that does not answer is not taken for ours', async () => {
    const { container } = siteWith('https://www.example.org/')
    const clock = new FakeClock()
    const revived = reviveWorker(container, ours, clock)
    await clock.advance(60_000)
    expect(await revived).toBe(false)
  })
})
