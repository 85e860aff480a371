import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../protocol/bytes.ts'
import { BodyReader, readBounded } from '../../sw/body-reader.ts'
import { laterRefusalOf } from '../protocol/refusal.ts'

const pieces = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 })

function bodyOf(parts: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part)
      controller.close()
    },
  })
}

describe('BodyReader', () => {
  test('gives the same bytes however they came and are taken', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, fc.array(fc.nat(30), { minLength: 1 }), async (parts, lengths) => {
        const whole = concatBytes(parts)
        const reader = new BodyReader(bodyOf(parts))
        let at = 0
        for (const length of lengths) {
          expect(await reader.take(length)).toEqual(whole.slice(at, at + length))
          at += length
        }
      }),
    )
  })

  test('takes nothing from a missing body', async () => {
    const reader = new BodyReader(null)
    expect(await reader.take(5)).toEqual(new Uint8Array(0))
    await reader.finish()
  })

  test('cancels a body that goes on after its end', async () => {
    let isCancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(10)),
      cancel: () => void (isCancelled = true),
    })
    const reader = new BodyReader(endless)
    await reader.take(15)
    await reader.finish()
    expect(isCancelled).toBe(true)
  })
})

describe('readBounded()', () => {
  test('gives a body up to its limit, and refuses one beyond it', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(200), async (parts, limit) => {
        const whole = concatBytes(parts)
        const read = () => readBounded(new Response(bodyOf(parts)), limit, 'body')
        if (whole.length > limit) expect(await laterRefusalOf(read)).toBe('oversized')
        else expect(await read()).toEqual(whole)
      }),
    )
  })
})
