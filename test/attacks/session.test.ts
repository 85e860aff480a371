import { describe, expect, test } from 'vitest'
import { trackerMessageBytes } from '../../protocol/limits.ts'
import { buildSdp, describeSdp, parseCandidate } from '../../protocol/session-description.ts'
import { parseFromTracker } from '../../protocol/tracker-wire.ts'
import { refusalOf } from '../protocol/refusal.ts'

const peer = 'a'.repeat(32)
const description = { iceUfrag: 'Ab+/', icePwd: 'a'.repeat(22), fingerprint: '0'.repeat(64), setup: 'actpass' } as const
const heard = (fields: Record<string, unknown>) =>
  JSON.stringify({ type: 'signal', from: peer, signal: { type: 'offer', description: { ...description, ...fields } } })

describe('a description that a peer signals', () => {
  test.each<[string, Record<string, unknown>]>([
    ['an SDP of its own', { sdp: 'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0' }],
    ['a media section in a value', { iceUfrag: 'abcd\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0' }],
    ['a line feed alone', { icePwd: `${'a'.repeat(22)}\nm=video 9 X 0` }],
    ['a second fingerprint', { fingerprint: `${'0'.repeat(64)}\r\na=fingerprint:sha-256 ${'1'.repeat(64)}` }],
    ['a fingerprint by another hash', { fingerprint: '0'.repeat(40) }],
    ['a role that there is not', { setup: 'holdconn' }],
    ['a name of 65 characters', { iceUfrag: 'a'.repeat(65) }],
    ['a password of 129 characters', { icePwd: 'a'.repeat(129) }],
  ])('is refused with %s', (_, fields) => {
    expect(refusalOf(() => parseFromTracker(heard({})))).toBe('accepted')
    expect(refusalOf(() => parseFromTracker(heard(fields)))).toBe('malformed')
  })

  test('is refused where it is huge, before it is read', () => {
    expect(refusalOf(() => parseFromTracker(heard({ iceUfrag: 'a'.repeat(trackerMessageBytes * 8) })))).toBe(
      'oversized',
    )
  })

  test('is one data section, also where a browser’s own SDP held media', () => {
    const media = 'm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:0 PCMU/8000\r\na=mid:1\r\n'
    const rebuilt = buildSdp(describeSdp(`${buildSdp(description)}${media}`))
    expect(rebuilt).toBe(buildSdp(description))
    expect(rebuilt.match(/^m=/gm)).toHaveLength(1)
  })
})

describe('a candidate that a peer signals', () => {
  test.each([
    '10.0.0.1',
    '127.0.0.1',
    '192.168.1.1',
    '172.16.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '01234567-89ab-cdef-0123-456789abcdef.local',
  ])('at %s is refused or known as of the own network', (address) => {
    expect(parseCandidate(`candidate:1 1 udp 2113937151 ${address} 80 typ host`)?.isLocal ?? true).toBe(true)
  })

  test.each(['router.example', 'localhost', '0x7f000001', '2130706433', '127.1', '012.0.0.1', '1.2.3', '256.1.1.1'])(
    'with the name or number %s in place of an address is refused',
    (address) => {
      expect(parseCandidate(`candidate:1 1 udp 2113937151 ${address} 80 typ host`)).toBeUndefined()
    },
  )
})
