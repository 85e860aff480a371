import * as v from 'valibot'
import { ProtocolError } from './errors.ts'
import { candidateLength, candidatesPerSignal } from './limits.ts'
import { hexSchema, text } from './schemas.ts'

/*
 * Peers never see each other's SDP. A description carries the four values that a data channel needs, a candidate
 * the fields of RFC 8839 section 5.1; both are built anew from these on arrival, so nothing else can ride along
 * (media sections, foreign attributes, extra lines).
 */

/** What is left of an SDP offer or answer with one data channel. */
export interface SessionDescription {
  readonly iceUfrag: string
  readonly icePwd: string
  /** SHA-256 of the DTLS certificate, 64 lower-case hex digits. */
  readonly fingerprint: string
  readonly setup: 'actpass' | 'active' | 'passive'
}

const iceCharacters = /^[A-Za-z0-9+/]+$/

export const sessionDescriptionSchema: v.GenericSchema<unknown, SessionDescription> = v.strictObject({
  iceUfrag: v.pipe(text(64, 4), v.regex(iceCharacters)),
  icePwd: v.pipe(text(128, 22), v.regex(iceCharacters)),
  fingerprint: hexSchema,
  setup: v.picklist(['actpass', 'active', 'passive']),
})

export const candidateSchema: v.GenericSchema<unknown, string> = v.pipe(
  text(candidateLength),
  v.check((line) => parseCandidate(line) !== undefined, 'not an ICE candidate'),
)

/** Takes the values out of a browser's own SDP; throws a ProtocolError where one is missing. */
export function describeSdp(sdp: string): SessionDescription {
  const value = (name: string): string => {
    const found = new RegExp(`^a=${name}:(.*?)\\r?$`, 'm').exec(sdp)?.[1]
    if (found === undefined) throw new ProtocolError('malformed', `Cannot describe session: no ${name}`)
    return found
  }
  const [algorithm, digest] = value('fingerprint').split(' ')
  if (algorithm?.toLowerCase() !== 'sha-256' || digest === undefined) {
    throw new ProtocolError('unsupported', `Cannot describe session: fingerprint by ${algorithm}`)
  }
  const description = {
    iceUfrag: value('ice-ufrag'),
    icePwd: value('ice-pwd'),
    fingerprint: digest.replaceAll(':', '').toLowerCase(),
    setup: value('setup'),
  }
  const result = v.safeParse(sessionDescriptionSchema, description)
  if (!result.success) throw new ProtocolError('malformed', `Cannot describe session: ${result.issues[0].message}`)
  return result.output
}

/** The SDP (RFC 8866, RFC 8841) of a session with one SCTP association and nothing else. */
export function buildSdp(description: SessionDescription): string {
  const fingerprint = description.fingerprint.toUpperCase().replace(/..(?!$)/g, '$&:')
  const lines = [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    `a=ice-ufrag:${description.iceUfrag}`,
    `a=ice-pwd:${description.icePwd}`,
    'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${fingerprint}`,
    `a=setup:${description.setup}`,
    'a=mid:0',
    'a=sctp-port:5000',
    'a=max-message-size:262144',
  ]
  return `${lines.join('\r\n')}\r\n`
}

/** Candidates of an SDP's own lines, for engines that do not trickle. */
export function candidatesOfSdp(sdp: string): readonly string[] {
  return [...sdp.matchAll(/^a=(candidate:.*?)\r?$/gm)].flatMap((line) => line[1] ?? []).slice(0, candidatesPerSignal)
}

const candidateTypes = ['host', 'srflx', 'prflx', 'relay'] as const

export interface Candidate {
  /** Rebuilt from the known fields: what an engine may be given. */
  readonly text: string
  readonly address: string
  readonly type: (typeof candidateTypes)[number]
  /** True where only a machine of the same network could use it: a private, link-local, loopback or mDNS address. */
  readonly isLocal: boolean
}

/** Reads `candidate:…` (RFC 8839 section 5.1). Undefined where it is not one, or not one for data over UDP or TCP. */
export function parseCandidate(text: string): Candidate | undefined {
  const form =
    /^candidate:([A-Za-z0-9+/]{1,32}) (1) (udp|tcp) (\d{1,10}) ([0-9A-Za-z:.-]{2,64}) (\d{1,5}) typ (host|srflx|prflx|relay)(?: (.*))?$/i
  const match = form.exec(text)
  if (match === null) return undefined
  const [, foundation, component, transport, priority, address, port, typeText, rest] = match
  const type = candidateTypes.find((name) => name === typeText?.toLowerCase())
  if (address === undefined || type === undefined || !isAddress(address) || Number(port) > 65_535) return undefined
  const tcpType = /(?:^| )tcptype (active|passive|so)\b/i.exec(rest ?? '')?.[1]?.toLowerCase()
  const head = `candidate:${foundation} ${component} ${transport?.toLowerCase()} ${priority} ${address} ${port} typ ${type}`
  // The related address would tell a peer the visitor's address in their own network.
  const related = type === 'host' ? '' : ' raddr 0.0.0.0 rport 0'
  return {
    text: `${head}${related}${tcpType ? ` tcptype ${tcpType}` : ''}`,
    address,
    type,
    isLocal: isLocalAddress(address),
  }
}

function isAddress(address: string): boolean {
  if (ipv4Parts(address)) return true
  if (address.includes(':')) return /^[0-9a-f:]{2,39}$/i.test(address)
  return /^[0-9a-f-]{36}\.local$/i.test(address)
}

/** A leading zero means octal to some resolvers: 012.0.0.1 would be another address there than here. */
function ipv4Parts(address: string): readonly number[] | undefined {
  const match = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/.exec(address)
  if (match === null) return undefined
  const parts = [Number(match[1]), Number(match[2]), Number(match[3]), Number(match[4])]
  return Math.max(...parts) <= 255 ? parts : undefined
}

/** RFC 1918, 3927, 6598, 4193, 4291: what never leads across the internet. Anything unusual counts as local. */
function isLocalAddress(address: string): boolean {
  const parts = ipv4Parts(address)
  // Global unicast is 2000::/3; all else, IPv4-mapped forms among it, is refused as local, and mDNS names are.
  if (parts === undefined) return !/^[23][0-9a-f]{3}:/i.test(address)
  const [first = 0, second = 0] = parts
  return (
    first === 0 ||
    first === 10 ||
    first === 127 ||
    first >= 224 ||
    (first === 100 && second >= 64 && second < 128) ||
    (first === 169 && second === 254) ||
    (first === 172 && second >= 16 && second < 32) ||
    (first === 192 && second === 168)
  )
}
