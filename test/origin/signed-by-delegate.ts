import type { SignedHead } from '../../origin/head.ts'
import type { SiteKeys } from '../../origin/keys.ts'
import { bytesOfBase64 } from '../../protocol/bytes.ts'
import { mediaTypes } from '../../protocol/manifest.ts'
import { signEnvelope } from '../../protocol/signature.ts'

/** The very same head, as whoever has the key of the first delegate would sign it, whatever it lists. */
export async function signedByDelegate(signed: SignedHead, { delegate }: SiteKeys): Promise<SignedHead> {
  if (delegate === undefined) throw new Error('Cannot test: no delegate')
  const { payload } = JSON.parse(signed.envelope) as { payload: string }
  const envelope = await signEnvelope(mediaTypes.head, bytesOfBase64(payload), [delegate.signer])
  return { ...signed, role: 1, prefixes: delegate.prefixes, envelope }
}
