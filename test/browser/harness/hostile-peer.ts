import type { ContentId } from '../../../protocol/ids.ts'
import type { PeerFrame, ShortId, Want } from '../../../protocol/peer-wire.ts'
import { encodeFrame, listIndexOnWire, parseFrame, peerWireVersion, shortIdOf } from '../../../protocol/peer-wire.ts'
import type { HeldAsset } from './held-assets.ts'
import { holdAssets } from './held-assets.ts'
import type { Asked, Misdeed, Sending } from './misdeeds.ts'
import { answerOf, answerOfHonest } from './misdeeds.ts'
import type { PreparedConnection } from './node-connection.ts'
import { answerOffer } from './node-connection.ts'
import type { Membership } from './tracker-membership.ts'

/** How many wants were answered honestly, and how many by the misdeed. */
export interface Deeds {
  readonly goodAnswers: number
  readonly misdeeds: number
  /** Whether somebody connected and then closed the channel. */
  readonly isRefused: boolean
}

/** Who it is for the tracker, by what certificate, and what pass it shows to peers. */
export interface Standing {
  readonly membership: Membership
  readonly connection: PreparedConnection
  readonly pass: string
  /** Of its swarms. At hand before anybody connects: no frame of it may wait, or a later one would overtake it. */
  readonly proofs: readonly ShortId[]
}

/**
 * A peer that speaks every wire as agreed, holds the real assets, serves the first chunk that it is asked for, and
 * then does one misdeed again and again. Chunk lists are served as they are, or no chunk would ever be asked for.
 */
export class HostilePeer {
  readonly #held: ReadonlyMap<ContentId, HeldAsset>
  readonly #misdeed: Misdeed
  readonly #onDeed: (deeds: Deeds) => void
  /** Held, because the engine crashes where a channel in use is collected. */
  readonly #connection: PreparedConnection
  readonly #pass: string
  readonly #proofs: readonly ShortId[]
  #goodChunk: string | undefined
  #goodAnswers = 0
  #misdeeds = 0
  #isRefused = false

  constructor(
    { membership, connection, pass, proofs }: Standing,
    assets: ReadonlyMap<string, Uint8Array>,
    misdeed: Misdeed,
    onDeed: (deeds: Deeds) => void,
  ) {
    this.#connection = connection
    this.#pass = pass
    this.#proofs = proofs
    this.#onDeed = onDeed
    this.#held = holdAssets(assets)
    this.#misdeed = misdeed
    answerOffer(membership, connection)
    this.#open()
  }

  get deeds(): Deeds {
    return { goodAnswers: this.#goodAnswers, misdeeds: this.#misdeeds, isRefused: this.#isRefused }
  }

  #open(): void {
    const { channel } = this.#connection
    channel.binaryType = 'arraybuffer'
    channel.addEventListener('message', ({ data }) => {
      if (data instanceof ArrayBuffer) this.#receive(channel, parseFrame(new Uint8Array(data)))
    })
    channel.addEventListener('close', () => {
      this.#isRefused = true
      this.#onDeed(this.deeds)
    })
    const hello = (): void => {
      const frame = { type: 'hello', version: peerWireVersion, proofs: this.#proofs, pass: this.#pass } as const
      send(channel, encodeFrame(frame))
    }
    if (channel.readyState === 'open') hello()
    else channel.addEventListener('open', hello)
  }

  #receive(channel: RTCDataChannel, frame: PeerFrame): void {
    if (frame.type === 'hello') {
      const entries = [...this.#held.keys()].map((id) => ({ id: shortIdOf(id), state: 'whole' as const }))
      for (const proof of this.#proofs) {
        send(channel, encodeFrame({ type: 'have', proof, reset: true, entries }))
      }
    }
    if (frame.type === 'want')
      for (const { afterMs, frame: answer } of this.#answer(frame)) setTimeout(() => send(channel, answer), afterMs)
  }

  #answer(want: Want): readonly Sending[] {
    const asked = this.#asked(want)
    if (asked === undefined) return [{ afterMs: 0, frame: encodeFrame({ type: 'absent', request: want.request }) }]
    if (want.index === listIndexOnWire) return [answerOfHonest(asked)]
    const chunk = `${want.asset} ${want.index}`
    this.#goodChunk ??= chunk
    if (this.#goodChunk === chunk) {
      this.#goodAnswers += 1
      this.#onDeed(this.deeds)
      return [answerOfHonest(asked)]
    }
    this.#misdeeds += 1
    this.#onDeed(this.deeds)
    return answerOf(this.#misdeed, asked, this.#misdeeds - 1)
  }

  #asked(want: Want): Asked | undefined {
    const slice = (asset: HeldAsset): Uint8Array<ArrayBuffer> | undefined =>
      asset.chunk(want.index)?.slice(want.offset, want.offset + want.length)
    const asset = this.#held.get(want.asset)
    const truth = asset && slice(asset)
    if (truth === undefined) return undefined
    const others = [...this.#held.values()].filter((other) => other !== asset)
    const foreign = others.map(slice).find((bytes) => bytes?.length === truth.length)
    return { request: want.request, truth, foreign: foreign ?? truth.toReversed() }
  }
}

function send(channel: RTCDataChannel, frame: Uint8Array): void {
  try {
    channel.send(new Uint8Array(frame))
  } catch {
    // The other side closed it: that is how a ban looks from here.
  }
}
