import * as v from 'valibot'
import { ProtocolError } from '../protocol/errors.ts'
import { parseValue } from '../protocol/json.ts'
import { message } from '../protocol/schemas.ts'
import { peerViewsSchema } from './exchange-messages.ts'
import type { LeadMessage } from './leadership.ts'
import type { PeeringStatus } from './peering.ts'

/** What the tabs of one site say to each other, by BroadcastChannel. */
type TabMessage =
  /** By the tab that holds the connections. */
  | { readonly type: 'status'; readonly status: PeeringStatus }
  /** By one that has just come. */
  | { readonly type: 'ask' }
  | LeadMessage

const schema: v.GenericSchema<unknown, TabMessage> = message([
  v.strictObject({
    type: v.literal('status'),
    status: v.strictObject({
      isLinked: v.boolean(),
      peers: peerViewsSchema,
      bannedPeers: v.pipe(v.number(), v.minValue(0)),
    }),
  }),
  v.strictObject({ type: v.literal('ask') }),
  v.strictObject({ type: v.literal('offer') }),
  v.strictObject({ type: v.literal('claim'), isLasting: v.boolean() }),
])

/** Lets every tab of the site know how the one with the connections is doing. */
export class Tabs {
  readonly #channel: BroadcastChannel

  /**
   * @param base the site's folder: its neighbours on the same host have tabs of their own
   * @param own this tab's status if it holds the connections
   */
  constructor(
    base: string,
    own: () => PeeringStatus | undefined,
    told: (status: PeeringStatus) => void,
    heard: (message: LeadMessage) => void,
  ) {
    this.#channel = new BroadcastChannel(`nearhand-tabs ${base}`)
    this.#channel.onmessage = (event: MessageEvent<unknown>) => {
      const message = parseTabMessage(event.data)
      if (message?.type === 'status') told(message.status)
      else if (message?.type === 'ask') {
        const status = own()
        if (status) this.tell({ type: 'status', status })
      } else if (message) heard(message)
    }
    this.tell({ type: 'ask' })
  }

  tell(message: TabMessage): void {
    this.#channel.postMessage(message)
  }

  close(): void {
    this.#channel.close()
  }
}

/** Undefined for what another build says. */
function parseTabMessage(value: unknown): TabMessage | undefined {
  try {
    return parseValue(schema, value, 'message of a tab')
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
