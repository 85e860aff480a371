/** Why an outside value was refused. Stable: logs and tests rely on the words. */
export type ProtocolErrorCode =
  | 'malformed' // not the agreed form
  | 'oversized' // larger than its limit in limits.ts
  | 'unsupported' // a version or algorithm this build does not know
  | 'untrusted' // a signature, threshold or hash that does not hold
  | 'foreign' // made for another site or another role
  | 'expired' // past its life, or issued in the future
  | 'rollback' // older than what was already seen
  | 'equivocal' // two signed words that contradict each other
  | 'outdated' // we know too little: newer keys hold

/**
 * Bad input from outside: a peer, a tracker client, a manifest part, a message between threads.
 * The edge that owns the connection catches exactly this, drops the sender and goes on.
 */
export class ProtocolError extends Error {
  override readonly name: string = 'ProtocolError'
  readonly code: ProtocolErrorCode

  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
