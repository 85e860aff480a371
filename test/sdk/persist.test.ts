import { expect, test } from 'vitest'
import { persistStore } from '../../sdk/persist.ts'

test.each([
  { isGranted: false, isWished: false, asks: 0 },
  { isGranted: true, isWished: false, asks: 1 },
  { isGranted: false, isWished: true, asks: 1 },
])('persistStore() asks only where the visitor is not, or the site wishes it: %o', async (row) => {
  let asks = 0
  const persistence = {
    async persist() {
      asks += 1
      return true
    },
    isGranted: async () => row.isGranted,
  }
  await persistStore(persistence, row.isWished)
  expect(asks).toBe(row.asks)
})
