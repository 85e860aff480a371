import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { parseToAnnounce } from '../../origin/announce-wire.ts'
import { clientAddress, trustedProxyList } from '../../origin/client-address.ts'
import { planAnswer } from '../../origin/conditions.ts'
import { answerStun } from '../../origin/stun.ts'
import { parseRange } from '../../origin/range.ts'
import { parseDraft, spellDraft } from '../../origin/keys-draft.ts'
import { parseSwitches } from '../../origin/switches.ts'
import {
  parseExchangeToWorker,
  parsePageToWorker,
  parseStats,
  parseTotals,
  parseTraffic,
  parseWorkerToExchange,
  parseWorkerToPage,
} from '../../protocol/bridge.ts'
import { bytesOfHex, isSameBytes, textOf, utf8 } from '../../protocol/bytes.ts'
import { encodeChunkList, parseChunkList, parsePage } from '../../protocol/chunks.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { parseJoinRequest, parseJoinResponse } from '../../protocol/join.ts'
import {
  headTuple,
  parseBin,
  parseFresh,
  parseHead,
  parseIndexPage,
  parseRoot,
  mediaTypes,
} from '../../protocol/manifest.ts'
import { freshLimitBytes } from '../../protocol/limits.ts'
import { parsePass } from '../../protocol/pass.ts'
import { canonicalPath } from '../../protocol/paths.ts'
import { encodeFrame, parseFrame } from '../../protocol/peer-wire.ts'
import { buildSdp, describeSdp, parseCandidate } from '../../protocol/session-description.ts'
import { openEnvelope } from '../../protocol/signature.ts'
import { parseStoredAsset, parseStoreMessage } from '../../protocol/store-layout.ts'
import { parseFromTracker, parseToTracker } from '../../protocol/tracker-wire.ts'
import { parseUrlRules } from '../../protocol/url-rules.ts'
import { parseWorkerConfig } from '../../protocol/worker-config.ts'
import { parseExchangeToPage, parsePageToExchange } from '../../sdk/exchange-messages.ts'
import { parseHeads } from '../../sw/page-heads.ts'
import { hostileTexts } from '../protocol/arbitraries.ts'
import { readVector } from '../protocol/read-vector.ts'
import { almost, almostTexts, hostileFrames } from './hostile-bytes.ts'

/** A parser of what comes from outside, what it is fed, and what must hold of all that it makes of it. */
export interface FuzzSubject {
  readonly name: string
  /** Gives how many inputs were taken. Throws with seed and input where something else holds. */
  readonly run: (seed: number, numRuns: number) => number | Promise<number>
}

/**
 * Whatever the input is, `parse` gives a value or throws a ProtocolError, and nothing else. A value that it gives says
 * just what the input said: `holds` spells it again and compares.
 */
function subject<Input, Value>(
  name: string,
  inputs: fc.Arbitrary<Input>,
  parse: (input: Input) => Value,
  holds: (value: Value, input: Input) => boolean,
): FuzzSubject {
  let taken = 0
  const property = fc.property(inputs, (input) => {
    let value: Value
    try {
      value = parse(input)
    } catch (error) {
      if (error instanceof ProtocolError) return true
      throw error
    }
    taken += 1
    return holds(value, input)
  })
  const run: FuzzSubject['run'] = (seed, numRuns) => {
    taken = 0
    fc.assert(property, { seed, numRuns })
    return taken
  }
  return { name, run }
}

/** As `subject`, of a parser that waits for signatures. */
function waitingSubject<Input, Value>(
  name: string,
  inputs: fc.Arbitrary<Input>,
  parse: (input: Input) => Promise<Value>,
  holds: (value: Value, input: Input) => boolean,
): FuzzSubject {
  let taken = 0
  const property = fc.asyncProperty(inputs, async (input) => {
    let value: Value
    try {
      value = await parse(input)
    } catch (error) {
      if (error instanceof ProtocolError) return true
      throw error
    }
    taken += 1
    return holds(value, input)
  })
  const run: FuzzSubject['run'] = async (seed, numRuns) => {
    taken = 0
    await fc.assert(property, { seed, numRuns })
    return taken
  }
  return { name, run }
}

/** A text of JSON: what was read from it is read again from its own spelling. */
function json(name: string, parse: (text: string) => unknown, valid: readonly unknown[]): FuzzSubject {
  const texts = fc.oneof(hostileTexts(valid), almostTexts(valid.map((value) => JSON.stringify(value))))
  return subject(name, texts, parse, (value) => {
    const text = JSON.stringify(value) // where -0 is 0
    return JSON.stringify(parse(text)) === text
  })
}

/** A value that another thread posted: it is taken as it is or not at all. */
function posted(name: string, parse: (value: unknown) => unknown, valid: readonly unknown[]): FuzzSubject {
  const texts = fc.oneof(hostileTexts(valid), almostTexts(valid.map((value) => JSON.stringify(value))))
  const values = fc.oneof(fc.anything(), texts.map(jsonOrText), fc.constantFrom(...valid))
  return subject(name, values, parse, (value) => value === undefined || isDeepStrictEqual(parse(value), value))
}

const manifest = readVector<{
  bodies: { root: string; head: string; fresh: string }
  envelopes: { root: string; fresh: string }
  parts: Record<string, string>
}>('manifest')
const bridge = readVector<{
  pageToWorker: unknown[]
  workerToPage: unknown[]
  workerToExchange: unknown[]
  exchangeToWorker: unknown[]
  traffic: unknown
  totals: object
}>('bridge')
const tracker = readVector<{ toTracker: unknown[]; fromTracker: unknown[] }>('tracker')
const store = readVector<{ stored: unknown; messages: unknown[] }>('store')
const sessions = readVector<{ described: { sdp: string }[]; candidates: { given: string }[] }>('session-description')
const lists = readVector<{ size: number; chunkSize: number; hex: string }>('chunk-list')
const pass = readVector<{ token: string }>('pass')
const paths = readVector<{ canonicalPath: { given: string }[] }>('paths')
const [page, bin] = Object.values(manifest.parts).map((part): unknown => JSON.parse(part))
const peer = 'a'.repeat(32)
const root = parseRoot(utf8(manifest.bodies.root))
const proxies = trustedProxyList(['10.0.0.0/8'])
const [twentyBytes, offer] = ['a'.repeat(20), { type: 'offer', sdp: 'v=0' }]
const announces = [
  { action: 'scrape', info_hash: [twentyBytes] },
  {
    action: 'announce',
    info_hash: twentyBytes,
    peer_id: twentyBytes,
    numwant: 1,
    offers: [{ offer, offer_id: twentyBytes }],
  },
]
const bindingRequest = bytesOfHex(`000100002112a442${'0a'.repeat(12)}`)

export const peerWire: FuzzSubject = subject('parseFrame()', hostileFrames, parseFrame, (frame, bytes) =>
  isSameBytes(encodeFrame(frame), bytes),
)

export const parsers: readonly FuzzSubject[] = [
  json('parseRoot()', (text) => parseRoot(utf8(text)), [JSON.parse(manifest.bodies.root)]),
  json('parseHead()', (text) => spelledHead(parseHead(utf8(text))), [JSON.parse(manifest.bodies.head)]),
  json('parseFresh()', (text) => spelledFresh(parseFresh(utf8(text))), [JSON.parse(manifest.bodies.fresh)]),
  json('parseIndexPage()', (text) => ({ rows: parseIndexPage(utf8(text)).map(({ first, id }) => [first, id]) }), [
    page,
  ]),
  json('parseBin()', (text) => ({ rows: parseBin(utf8(text)) }), [bin]),
  json('parseJoinResponse()', parseJoinResponse, readVector<{ accepted: unknown[] }>('join').accepted),
  json('parseJoinRequest()', parseJoinRequest, [{ fingerprint: '0a'.repeat(32) }]),
  json('parseToTracker()', parseToTracker, tracker.toTracker),
  json('parseFromTracker()', parseFromTracker, tracker.fromTracker),
  json('parseSwitches()', parseSwitches, [{}, { peers: false, off: ['/a/'], takedowns: [] }]),
  json('parseDraft()', (text) => JSON.parse(spellDraft(parseDraft(text, 'draft'))), [
    JSON.parse(manifest.envelopes.root),
  ]),
  posted('parsePageToWorker()', parsePageToWorker, bridge.pageToWorker),
  posted('parseWorkerToPage()', parseWorkerToPage, bridge.workerToPage),
  posted('parseWorkerToExchange()', parseWorkerToExchange, bridge.workerToExchange),
  posted('parseExchangeToWorker()', parseExchangeToWorker, bridge.exchangeToWorker),
  posted('parseTraffic()', parseTraffic, [bridge.traffic]),
  posted('parseTotals()', parseTotals, [bridge.totals]),
  posted('parseStats()', parseStats, [{ ...bridge.totals, failures: 0, isSpent: false }]),
  posted('parsePageToExchange()', parsePageToExchange, [
    { type: 'drop', peer },
    { type: 'swarms', swarms: [], pass: 'a.b.c' },
    { type: 'certificate', peer, fingerprint: '0b'.repeat(32) },
  ]),
  posted('parseExchangeToPage()', parseExchangeToPage, [{ type: 'started' }, { type: 'gone', peer, isBanned: true }]),
  posted('parseStoredAsset()', parseStoredAsset, [store.stored]),
  posted('parseStoreMessage()', parseStoreMessage, store.messages),
  posted('parseUrlRules()', parseUrlRules, [readVector<{ rules: unknown }>('url-rules').rules]),
  posted('parseWorkerConfig()', parseWorkerConfig, [readVector<{ config: unknown }>('worker-config').config]),
  subject(
    'parseChunkList()',
    almost(fc.constant(bytesOfHex(lists.hex))),
    (bytes) => parseChunkList(bytes, lists),
    (list, bytes) => isSameBytes(encodeChunkList(list), bytes),
  ),
  subject(
    'parsePage()',
    almost(fc.uint8Array({ minLength: 64, maxLength: 64 })),
    (bytes) => parsePage(bytes, { size: 3 * 1024 ** 3 + 300_000, chunkSize: 262_144 }, 12),
    (digests, bytes) => isSameBytes(Buffer.concat(digests), bytes),
  ),
  subject('parsePass()', almostTexts([pass.token]), parsePass, ({ signed, signature }, token) => {
    return `${textOf(signed)}.${Buffer.from(signature).toString('base64url')}` === token
  }),
  subject(
    'describeSdp()',
    fc.oneof(fc.string(), almostTexts(sessions.described.map(({ sdp }) => sdp))),
    describeSdp,
    (description) => isDeepStrictEqual(describeSdp(buildSdp(description)), description),
  ),
  subject(
    'parseCandidate()',
    fc.oneof(fc.string(), almostTexts(sessions.candidates.map(({ given }) => given))),
    parseCandidate,
    (candidate) => candidate === undefined || isDeepStrictEqual(parseCandidate(candidate.text), candidate),
  ),
  subject(
    'canonicalPath()',
    fc.oneof(fc.string({ unit: 'binary' }), almostTexts(paths.canonicalPath.map(({ given }) => given))),
    canonicalPath,
    (path) => path === undefined || canonicalPath(path) === path,
  ),
  waitingSubject(
    'openEnvelope()',
    almostTexts([manifest.envelopes.fresh]),
    (text) => openEnvelope(text, mediaTypes.fresh, freshLimitBytes, root.roles.fresh, root.keys),
    (body) => textOf(body) === manifest.bodies.fresh,
  ),
  subject(
    'parseHeads()',
    fc.oneof(fc.string(), almostTexts(['0a'.repeat(32), `${'0a'.repeat(32)}, ${'0b'.repeat(32)}`])),
    parseHeads,
    (heads, header) =>
      heads === undefined ||
      heads.join() ===
        header
          .split(',')
          .map((text) => text.trim())
          .join(),
  ),
  subject(
    'parseToAnnounce()',
    fc.oneof(hostileTexts(announces), almostTexts(announces.map((value) => JSON.stringify(value)))),
    parseToAnnounce,
    (message) => message.type === 'scrape' || (message.swarm.length > 0 && message.peer.length > 0),
  ),
  subject(
    'planAnswer()',
    fc.tuple(
      fc.constantFrom('if-match', 'if-none-match', 'if-range', 'if-modified-since', 'if-unmodified-since'),
      fc.oneof(fc.string(), almostTexts(['"a"', 'W/"a", "b"', '*', 'Sun, 06 Nov 1994 08:49:37 GMT'])).map(headerOf),
      fc.oneof(fc.string(), almostTexts(['bytes=0-99', 'bytes=900-'])).map(headerOf),
    ),
    ([name, value, range]) =>
      planAnswer('GET', new Headers({ range, [name]: value }), { etag: '"a"', modifiedMs: 784_111_777_000 }, 1000),
    (plan) => plan.status !== 206 || (plan.range.start <= plan.range.end && plan.range.end < 1000),
  ),
  subject(
    'clientAddress()',
    fc.oneof(fc.string(), almostTexts(['203.0.113.7', '[2001:db8::1]:80, 10.0.0.2', 'unknown, 10.0.0.3'])),
    (forwarded) =>
      clientAddress({ headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress: '10.0.0.1' } }, proxies),
    (address) => isIP(address) > 0,
  ),
  subject(
    'parseRange()',
    fc.oneof(fc.string(), almostTexts(['bytes=0-99', 'bytes=900-', 'bytes=-100', 'bytes=9007199254740993-'])),
    (header) => parseRange(header, 1000),
    (range) => typeof range === 'string' || (range.start >= 0 && range.start <= range.end && range.end < 1000),
  ),
  subject(
    'answerStun()',
    fc.oneof(fc.uint8Array({ maxLength: 600 }), almost(fc.constant(bindingRequest))),
    (datagram) => answerStun(datagram, { address: '192.0.2.1', port: 4000 }),
    (answer) => answer === undefined || answer.length <= 44,
  ),
]

function spelledHead(head: ReturnType<typeof parseHead>): unknown {
  return { ...head, index: head.index.map(({ first, id }) => [first, id]) }
}

function spelledFresh(fresh: ReturnType<typeof parseFresh>): unknown {
  return { ...fresh, heads: fresh.heads.map(headTuple) }
}

/** As a server is given it: what is no header never gets so far. */
function headerOf(text: string): string {
  return text.replaceAll(/[^\t\x20-\x7e]/g, '')
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
