import { expect, test } from 'vitest'
import { createMemory } from '../../sdk/memory.ts'

/** A storage that takes nothing new while it is full. */
class FakeStorage {
  readonly values = new Map<string, string>()
  isFull = false

  getItem(name: string): string | null {
    return this.values.get(name) ?? null
  }

  setItem(name: string, value: string): void {
    if (this.isFull) throw new DOMException('full', 'QuotaExceededError')
    this.values.set(name, value)
  }

  removeItem(name: string): void {
    this.values.delete(name)
  }
}

function scene() {
  const [site, tab] = [new FakeStorage(), new FakeStorage()]
  const open = (base = '/') =>
    createMemory(
      [site, tab].map((storage) => () => storage as unknown as Storage),
      base,
    )
  return { site, tab, open }
}

test('Memory holds a choice for the page where the browser refuses storage', () => {
  const refuse = () => {
    throw new DOMException('denied', 'SecurityError')
  }
  const memory = createMemory([refuse, refuse], '/')
  expect(memory.get('off')).toBeUndefined()
  memory.set('off', '1')
  expect(memory.get('off')).toBe('1')
  memory.set('off', undefined)
  expect(memory.get('off')).toBeUndefined()
})

test('Memory holds the last word where the storage is full, and forgets the one before', () => {
  const { site, tab, open } = scene()
  const memory = open()
  memory.set('consent', 'granted')
  site.isFull = true
  memory.set('consent', 'denied')
  expect([memory.get('consent'), site.values.size]).toEqual(['denied', 0])
  expect(open().get('consent'), 'after a reload').toBe('denied')
  tab.isFull = true
  memory.set('consent', 'granted')
  expect([memory.get('consent'), tab.values.size]).toEqual(['granted', 0])
  site.isFull = false
  memory.set('consent', 'denied')
  expect([memory.get('consent'), open().get('consent')]).toEqual(['denied', 'denied'])
})

test('Memory keeps the sites of one host apart', () => {
  const { open } = scene()
  open('/shop/').set('off', '1')
  expect([open('/shop/').get('off'), open('/').get('off')]).toEqual(['1', undefined])
})
