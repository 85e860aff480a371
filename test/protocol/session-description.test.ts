import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { candidateLength, candidatesPerSignal } from '../../protocol/limits.ts'
import {
  buildSdp,
  candidateSchema,
  candidatesOfSdp,
  describeSdp,
  parseCandidate,
} from '../../protocol/session-description.ts'
import type { Candidate, SessionDescription } from '../../protocol/session-description.ts'
import { parseValue } from '../../protocol/json.ts'
import { readVector } from './read-vector.ts'
import { refusalOf } from './refusal.ts'

const vector = readVector<{
  described: { sdp: string; description: SessionDescription }[]
  built: { description: SessionDescription; sdp: string }[]
  candidatesOf: { sdp: string; candidates: string[] }
  candidates: { given: string; read: Candidate }[]
  refusedCandidates: string[]
}>('session-description')

describe('describeSdp', () => {
  test.each(vector.described)('takes the four values out of a browser’s SDP', ({ sdp, description }) => {
    expect(describeSdp(sdp)).toEqual(description)
    expect(describeSdp(sdp.replaceAll('\r\n', '\n'))).toEqual(description)
  })

  test.each(['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup'])('refuses an SDP without %s', (name) => {
    const sdp = vector.described[0]?.sdp.replace(new RegExp(`a=${name}:.*\r\n`), '') ?? ''
    expect(refusalOf(() => describeSdp(sdp))).toBe('malformed')
  })

  test('refuses a fingerprint by a weak hash', () => {
    const sdp = vector.described[0]?.sdp.replace('sha-256', 'sha-1') ?? ''
    expect(refusalOf(() => describeSdp(sdp))).toBe('unsupported')
  })

  test('throws nothing but a ProtocolError', () => {
    const line = fc.constantFrom('a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:', 'a=setup:', 'sha-256 ', '\r\n', '\n')
    const sdp = fc
      .array(fc.oneof(line, fc.string({ unit: 'binary' })), { maxLength: 30 })
      .map((parts) => parts.join(''))
    fc.assert(fc.property(sdp, (text) => void refusalOf(() => describeSdp(text))))
  })
})

describe('buildSdp', () => {
  test.each(vector.built)('writes the one form that there is', ({ description, sdp }) => {
    expect(buildSdp(description)).toBe(sdp)
    expect(describeSdp(sdp)).toEqual(description)
  })
})

describe('candidatesOfSdp', () => {
  test('gives the candidates of the lines', () => {
    expect(candidatesOfSdp(vector.candidatesOf.sdp)).toEqual(vector.candidatesOf.candidates)
  })

  test('gives no more than a signal may carry', () => {
    const line = 'a=candidate:1 1 udp 1 192.0.2.7 5 typ host\r\n'
    expect(candidatesOfSdp(line.repeat(50))).toHaveLength(candidatesPerSignal)
  })
})

describe('parseCandidate', () => {
  test.each(vector.candidates)('reads $given', ({ given, read }) => {
    expect(parseCandidate(given)).toEqual(read)
    // What was rebuilt is read as itself: a tracker and a peer that both rebuild it agree.
    expect(parseCandidate(read.text)).toEqual(read)
  })

  test.each(vector.refusedCandidates)('refuses %j', (text) => {
    expect(parseCandidate(text)).toBeUndefined()
    expect(refusalOf(() => parseValue(candidateSchema, text, 'candidate'))).toBe('malformed')
  })

  test('refuses one over its length', () => {
    const long = `candidate:1 1 udp 1 192.0.2.7 5 typ host ${'x'.repeat(candidateLength)}`
    expect(refusalOf(() => parseValue(candidateSchema, long, 'candidate'))).toBe('malformed')
  })

  test('rebuilds to one line of known fields, whatever else was said', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (tail) => {
        const read = parseCandidate(`candidate:1 1 udp 1 192.0.2.7 5 typ srflx raddr 10.0.0.1 rport 5 ${tail}`)
        if (read) expect(read.text).toMatch(/^[\w: .]+$/)
        expect(read?.text ?? '').not.toContain('10.0.0.1')
      }),
    )
  })
})
