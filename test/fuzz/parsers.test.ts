import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { parsers, peerWire } from './subjects.ts'

// `npm run fuzz` sets more runs. A failure prints seed, path and the smallest input that fails.
const runs = Number(process.env['FUZZ_RUNS'] ?? 10_000)
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 0x7fffffff))
const isNightly = process.env['FUZZ_RUNS'] !== undefined
const batch = 5000

describe('gives a value that spells what it read, or throws a ProtocolError, whatever comes', () => {
  test.each([
    { ...peerWire, count: runs },
    ...parsers.map((parser) => ({ ...parser, count: isNightly ? runs / 10 : runs })),
  ])(
    '$name',
    async ({ name, run, count }) => {
      const start = performance.now()
      let taken = 0
      for (let done = 0; done < count; done += batch) {
        taken += await run(seed + done, Math.min(batch, count - done))
        await setImmediate() // a runner that hears nothing for a minute gives up
      }
      expect(taken, 'inputs that were not all refused').toBeGreaterThan(0)
      const seconds = (performance.now() - start) / 1000
      if (isNightly) console.log(`${name}: ${count} inputs from seed ${seed}, ${Math.round(count / seconds)} a second`)
    },
    isNightly ? 3_600_000 : 30_000,
  )
})
