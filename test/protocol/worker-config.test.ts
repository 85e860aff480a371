import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { patternLimit, rootLimitBytes } from '../../protocol/limits.ts'
import { composeWorkerFile, parseWorkerConfig, workerConfigGlobal } from '../../protocol/worker-config.ts'
import type { WorkerConfig } from '../../protocol/worker-config.ts'
import { readVector } from './read-vector.ts'
import { refusalOf } from './refusal.ts'

const vector = readVector<{ config: WorkerConfig; script: string; file: string; refused: unknown[] }>('worker-config')

describe('composeWorkerFile', () => {
  test('writes the file of the vector', () => {
    expect(composeWorkerFile(vector.config, vector.script)).toBe(vector.file)
  })

  test('writes a script that sets exactly the configuration, whatever texts it has', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'binary' })), (root, patterns) => {
        const config = { ...vector.config, root, patterns }
        const self: Record<string, unknown> = {}
        const file = composeWorkerFile(config, '')
        runInNewContext(file, { self })
        expect(JSON.stringify(self[workerConfigGlobal])).toBe(JSON.stringify(config))
        expect(file).not.toMatch(/[<\u2028\u2029]/)
      }),
    )
  })
})

describe('parseWorkerConfig', () => {
  test('reads the configuration of the vector', () => {
    expect(parseWorkerConfig(vector.config)).toEqual(vector.config)
  })

  test.each(vector.refused.map((value) => ({ value })))('refuses $value', ({ value }) => {
    expect(refusalOf(() => parseWorkerConfig(value))).toBe('malformed')
  })

  test('refuses too many patterns and a root that is too long', () => {
    const patterns = Array.from({ length: patternLimit + 1 }, () => '/')
    expect(refusalOf(() => parseWorkerConfig({ ...vector.config, patterns }))).toBe('malformed')
    const root = 'x'.repeat(rootLimitBytes * 2 + 1)
    expect(refusalOf(() => parseWorkerConfig({ ...vector.config, root }))).toBe('malformed')
  })
})
