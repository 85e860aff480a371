import { expect, test } from 'vitest'
import { createMemory } from '../../sdk/memory.ts'

test('Memory holds a choice for the page where the browser refuses storage', () => {
  const memory = createMemory(() => {
    throw new DOMException('denied', 'SecurityError')
  })
  expect(memory.get('nearhand-off')).toBeUndefined()
  memory.set('nearhand-off', '1')
  expect(memory.get('nearhand-off')).toBe('1')
  memory.set('nearhand-off', undefined)
  expect(memory.get('nearhand-off')).toBeUndefined()
})
