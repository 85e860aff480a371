import fc from 'fast-check'
import * as v from 'valibot'
import { beforeEach, describe, expect, test } from 'vitest'
import type { AnnounceVisitor } from '../../origin/announce.ts'
import { AnnounceTracker } from '../../origin/announce.ts'
import type { PeerId } from '../../protocol/ids.ts'
import { peerIdSchema } from '../../protocol/ids.ts'
import {
  announceFaults,
  announceMessageBytes,
  announceOfferBurst,
  announceOfferMs,
  announceOffers,
  announceOffersReceived,
  announceSwarms,
  scrapeHashes,
} from '../../protocol/limits.ts'
import { buildSdp } from '../../protocol/session-description.ts'

const connectionOf = (number: number): PeerId => v.parse(peerIdSchema, number.toString(16).padStart(32, '0'))
const [one, two, three] = [connectionOf(1), connectionOf(2), connectionOf(3)]
const hash = '\u0000\u00ffhash of twenty byt'
const otherHash = 'x'.repeat(20)
const idOf = (name: string): string => name.padEnd(20, '-')
const [ann, bob, eve] = [idOf('ann'), idOf('bob'), idOf('eve')]
const fingerprint = 'ab'.repeat(32)
const description = { iceUfrag: 'abcd', icePwd: 'a'.repeat(22), fingerprint } as const
const publicLine = 'a=candidate:1 1 udp 2122260223 198.51.100.7 50000 typ host\r\n'
const privateLine = 'a=candidate:2 1 udp 2122260223 192.168.0.4 50000 typ host\r\n'
const offerSdp = buildSdp({ ...description, setup: 'actpass' })
const answerSdp = buildSdp({ ...description, setup: 'active' })

let now = 0
let tracker: AnnounceTracker

function visitorAt(address: string, fields: Partial<AnnounceVisitor> = {}): AnnounceVisitor {
  const place = { subnet: address, network: 0, country: 0 }
  return { address, place, isLocalPage: false, fingerprint: undefined, ...fields }
}

interface Told {
  readonly to: PeerId
  readonly message: Readonly<Record<string, unknown>>
}

/** What follows from a message; ends of connections as the message `{close}`. */
function tell(from: PeerId, message: unknown): Told[] {
  const text = typeof message === 'string' ? message : JSON.stringify(message)
  return tracker.receive(from, text).map((effect) => {
    if ('close' in effect) return { to: effect.close, message: { close: true } }
    return { to: effect.to, message: JSON.parse(effect.text) as Record<string, unknown> }
  })
}

const announce = (peer: string, fields: object = {}): object => ({
  action: 'announce',
  info_hash: hash,
  peer_id: peer,
  ...fields,
})
const offer = (id: string, sdp = offerSdp): object => ({ offer_id: idOf(id), offer: { type: 'offer', sdp } })
const answer = (peer: string, to: string, id: string, sdp = answerSdp): object =>
  announce(peer, { to_peer_id: to, offer_id: idOf(id), answer: { type: 'answer', sdp } })

beforeEach(() => {
  now = 0
  tracker = new AnnounceTracker({ lan: false, random: Math.random, now: () => now })
  tracker.open(one, visitorAt('198.51.100.1'))
  tracker.open(two, visitorAt('198.51.100.2'))
  tracker.open(three, visitorAt('198.51.100.3'))
})

describe('announce', () => {
  test('is answered with the counts of the swarm', () => {
    tell(one, announce(ann, { left: 0, event: 'started' }))
    tell(one, announce(ann, { left: { toString: 1, valueOf: 1 } }))
    expect(tell(two, announce(bob, { left: 10, event: 'started' }))).toEqual([
      { to: two, message: { action: 'announce', info_hash: hash, interval: 120, complete: 1, incomplete: 1 } },
    ])
    expect(tell(two, announce(bob, { event: 'completed' }))[0]?.message).toMatchObject({ complete: 2, incomplete: 0 })
    expect(tell(one, announce(ann, { event: 'stopped' }))[0]?.message).toMatchObject({ complete: 1, incomplete: 0 })
  })

  test('passes each offer to another peer, and an answer back, once', () => {
    tell(one, announce(ann))
    tell(two, announce(bob))
    const told = tell(three, announce(eve, { numwant: 2, offers: [offer('1'), offer('2')] })).slice(1)
    expect(new Set(told.map(({ to }) => to))).toEqual(new Set([one, two]))
    const first = told.find(({ to }) => to === one)
    expect(first?.message).toMatchObject({
      action: 'announce',
      info_hash: hash,
      peer_id: eve,
      offer: { type: 'offer' },
    })
    const reply = announce(ann, {
      to_peer_id: eve,
      offer_id: first?.message['offer_id'],
      answer: { type: 'answer', sdp: answerSdp },
    })
    expect(tell(one, reply)).toEqual([
      {
        to: three,
        message: {
          action: 'announce',
          info_hash: hash,
          peer_id: ann,
          offer_id: first?.message['offer_id'],
          answer: { type: 'answer', sdp: answerSdp },
        },
      },
    ])
    expect(tell(one, reply)).toEqual([])
  })

  test('one connection speaks for several peers, who meet each other', () => {
    tell(one, announce(ann))
    expect(tell(one, announce(bob, { offers: [offer('1')] }))[1]).toMatchObject({ to: one, message: { peer_id: bob } })
  })

  test('ends with the connection: no ghosts', () => {
    tell(one, announce(ann))
    tell(one, { ...announce(ann), info_hash: otherHash })
    tracker.close(one)
    expect(tracker.swarmCount).toBe(0)
    expect(tell(one, announce(ann))).toEqual([])
  })

  test('counts nobody twice', () => {
    for (let turn = 0; turn < 3; turn += 1) tell(one, announce(ann, { event: 'completed' }))
    expect(tell(one, announce(ann))[0]?.message).toMatchObject({ complete: 1, incomplete: 0 })
    const scraped = tell(one, { action: 'scrape', info_hash: hash })
    expect(scraped[0]?.message).toEqual({
      action: 'scrape',
      files: { [hash]: { complete: 1, incomplete: 0, downloaded: 1 } },
    })
  })
})

describe('attacks', () => {
  test('another’s peer id is refused, and the peer stays whose it is', () => {
    tell(one, announce(ann))
    expect(tell(two, announce(ann))[0]?.message).toMatchObject({
      action: 'announce',
      'failure reason': expect.any(String),
    })
    tell(two, announce(ann, { event: 'stopped' }))
    expect(tell(three, announce(eve, { offers: [offer('1')] }))[1]?.to).toBe(one)
  })

  test('an answer to an offer that was never made, made to another, or long ago, reaches nobody', () => {
    tell(one, announce(ann))
    tell(two, announce(bob))
    expect(tell(two, answer(bob, ann, '1'))).toEqual([])
    tell(one, announce(ann, { offers: [offer('1')] }))
    tell(three, announce(eve))
    expect(tell(three, answer(eve, ann, '1'))).toEqual([])
    expect(tell(three, answer(bob, ann, '1'))).toEqual([])
    now += announceOfferMs + 1
    expect(tell(two, answer(bob, ann, '1'))).toEqual([])
  })

  test('an SDP with media, of another certificate than the pass, huge or no SDP at all is left out, and the announce counts', () => {
    tracker.open(one, visitorAt('198.51.100.1', { fingerprint }))
    tell(two, announce(bob))
    const bad = [
      `${offerSdp}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n`,
      offerSdp.replace(/AB:AB:/, 'CD:CD:'),
      offerSdp + 'a=x\r\n'.repeat(10_000),
      'sdp',
      '',
    ]
    for (const sdp of bad) expect(tell(one, announce(ann, { offers: [offer('1', sdp)] }))).toHaveLength(1)
    for (const offers of [[null], [{}], 'offers', [offer('1', offerSdp), 3], [{ ...offer('1'), offer_id: 5 }]]) {
      expect(tell(one, announce(ann, { offers }))[0]?.message).not.toHaveProperty('failure reason')
    }
    expect(tell(one, announce(ann, { offers: [offer('2')] }))).toHaveLength(2)
  })

  test('candidates of private networks and foreign lines do not pass', () => {
    tell(two, announce(bob))
    const sdp = `${offerSdp}${publicLine}${privateLine}a=secret:1\r\n`
    const [, told] = tell(one, announce(ann, { offers: [offer('1', sdp)] }))
    expect(told?.message['offer']).toEqual({ type: 'offer', sdp: offerSdp + publicLine })
  })

  test('between local pages private candidates pass, and peers of one address meet', () => {
    tracker.open(one, visitorAt('127.0.0.1', { isLocalPage: true }))
    tracker.open(two, visitorAt('127.0.0.1', { isLocalPage: true }))
    tracker.open(three, visitorAt('127.0.0.1'))
    tell(two, announce(bob))
    tell(three, announce(eve))
    const told = tell(one, announce(ann, { offers: [offer('1', offerSdp + privateLine), offer('2')] }))
    expect(told.map(({ to }) => to)).toEqual([one, two])
    expect(JSON.stringify(told[1]?.message)).toContain('192.168.0.4')
  })

  test('one that is offered to and never answers is left in peace', () => {
    tell(two, announce(bob))
    let reached = 0
    for (let number = 10; number < 30; number += 1) {
      const id = connectionOf(number)
      tracker.open(id, visitorAt(`203.0.113.${number}`))
      for (let turn = 0; turn < 10; turn += 1) {
        const peer = idOf(`p${number}`)
        reached += tell(id, announce(peer, { offers: [offer(`${turn}`)] })).filter(({ to }) => to === two).length
        tell(id, announce(peer, { event: 'stopped' }))
      }
    }
    expect(reached).toBe(announceOffersReceived)
    now += announceOfferMs + 1
    expect(tell(three, announce(eve, { offers: [offer('1')] }))[1]?.to).toBe(two)
  })

  test('one address takes no more than half of the room that a peer has for offers', () => {
    tell(two, announce(bob))
    for (let number = 10; number < 110; number += 1) {
      tracker.open(connectionOf(number), visitorAt('203.0.113.9'))
      tell(connectionOf(number), announce(idOf(`p${number}`), { offers: [offer('1')] }))
      tell(connectionOf(number), announce(idOf(`p${number}`), { event: 'stopped' }))
    }
    expect(tell(three, announce(eve, { offers: [offer('1')] }))[1]?.to).toBe(two)
  })

  test('the offers of one connection are bounded, in one message and by the second', () => {
    for (let number = 10; number < 200; number += 1) {
      tracker.open(connectionOf(number), visitorAt(`203.0.113.${number}`))
      tell(connectionOf(number), announce(idOf(`p${number}`)))
    }
    const offers = Array.from({ length: 40 }, (_, at) => offer(`${at}`))
    expect(tell(one, announce(ann, { numwant: 40, offers })).length - 1).toBe(announceOffers)
    let passed = announceOffers
    for (let turn = 0; turn < 20; turn += 1) passed += tell(one, announce(ann, { offers })).length - 1
    expect(passed).toBe(announceOfferBurst)
  })

  test('one connection speaks in no more than so many swarms', () => {
    const hashOf = (number: number): string => `${number}`.padStart(20, 'h')
    for (let number = 0; number < announceSwarms; number += 1)
      tell(one, { ...announce(ann), info_hash: hashOf(number) })
    expect(tell(one, announce(ann))[0]?.message).toHaveProperty('failure reason')
    tell(one, { ...announce(ann, { event: 'stopped' }), info_hash: hashOf(3) })
    expect(tell(one, announce(ann))[0]?.message).not.toHaveProperty('failure reason')
  })

  test('a scrape names its swarms, of which there may be so many', () => {
    tell(one, announce(ann))
    for (const info_hash of [undefined, null, [], 'short', [5], Array.from({ length: scrapeHashes + 1 }, () => hash)]) {
      const told = tell(two, { action: 'scrape', info_hash })
      expect(JSON.stringify(told)).not.toContain(hash)
    }
  })

  test('whoever is refused again and again is let go', () => {
    const told = Array.from({ length: announceFaults + 1 }, () => tell(one, '{}')).flat()
    expect(told.at(-1)).toEqual({ to: one, message: { close: true } })
    expect(told.filter(({ message }) => 'failure reason' in message)).toHaveLength(announceFaults + 1)
  })

  test('garbage never throws, and is told so', () => {
    const fields = fc.record(
      {
        action: fc.constantFrom('announce', 'scrape', 'x', null, 1),
        info_hash: fc.oneof(fc.constant(hash), fc.anything()),
        peer_id: fc.oneof(fc.constant(eve), fc.anything()),
        offers: fc.oneof(fc.array(fc.oneof(fc.constant(offer('1')), fc.anything())), fc.anything()),
        answer: fc.anything(),
        to_peer_id: fc.anything(),
        offer_id: fc.anything(),
        left: fc.anything(),
        event: fc.anything(),
        numwant: fc.anything(),
      },
      { requiredKeys: ['action'] },
    )
    const messages = fc.oneof(fields, fc.jsonValue(), fc.string(), fc.constant('['.repeat(announceMessageBytes)))
    fc.assert(
      fc.property(messages, (message) => {
        tracker.open(one, visitorAt('198.51.100.1'))
        let text: string | undefined
        try {
          text = typeof message === 'string' ? message : JSON.stringify(message)
        } catch {
          return // a bigint or a circle is no JSON
        }
        for (const effect of tracker.receive(one, text ?? '')) {
          if ('text' in effect) expect(JSON.parse(effect.text)).toHaveProperty('action')
        }
        tracker.close(one)
      }),
    )
  })
})
