import * as v from 'valibot'
import type { Bytes } from '../protocol/bytes.ts'
import { base64Of, bytesOfBase64 } from '../protocol/bytes.ts'
import type { KeyId } from '../protocol/ids.ts'
import { keyIdSchema } from '../protocol/ids.ts'
import { parseJson } from '../protocol/json.ts'
import { rootLimitBytes, signatureLimit } from '../protocol/limits.ts'
import type { Root } from '../protocol/manifest.ts'
import { mediaTypes, parseRoot } from '../protocol/manifest.ts'
import { list, text } from '../protocol/schemas.ts'
import type { Role } from '../protocol/signature.ts'
import { openEnvelope, preAuthEncoding } from '../protocol/signature.ts'
import { openNextRoot } from '../protocol/trusted-manifest.ts'
import type { Signer } from './key-file.ts'

/** The next root on its way from key to key: the same envelope as a finished one, with too few signatures yet. */
export interface RootDraft {
  readonly root: Root
  readonly body: Bytes
  readonly signatures: readonly RootSignature[]
}

interface RootSignature {
  readonly keyid: KeyId
  readonly sig: string
}

/** Who of a role has signed. */
interface Tally {
  readonly signed: readonly KeyId[]
  readonly missing: readonly KeyId[]
  readonly threshold: number
}

const draftSchema = v.strictObject({
  payloadType: v.literal(mediaTypes.root),
  payload: v.string(),
  signatures: list(v.strictObject({ keyid: keyIdSchema, sig: text(88, 88) }), signatureLimit),
})

export function draftOf(body: Bytes): RootDraft {
  return { root: parseRoot(body), body, signatures: [] }
}

/** Throws where the text is no root. Its signatures are not looked at yet. */
export function parseDraft(envelope: string, what: string): RootDraft {
  const { payload, signatures } = parseJson(draftSchema, envelope, rootLimitBytes * 2, what)
  const body = bytesOfBase64(payload)
  return { root: parseRoot(body), body, signatures }
}

export function spellDraft({ body, signatures }: RootDraft): string {
  return JSON.stringify({ payloadType: mediaTypes.root, payload: base64Of(body), signatures })
}

/** Adds the signatures of these keys. */
export async function signDraft(draft: RootDraft, signers: readonly Signer[]): Promise<RootDraft> {
  const message = preAuthEncoding(mediaTypes.root, draft.body)
  const signatures = [...draft.signatures]
  for (const signer of signers) signatures.push({ keyid: signer.id, sig: base64Of(await signer.sign(message)) })
  return { ...draft, signatures }
}

/** Takes over the signatures of another copy. Throws where that one says something else. */
export function mergeDrafts(draft: RootDraft, other: RootDraft, what: string): RootDraft {
  if (base64Of(draft.body) !== base64Of(other.body)) {
    throw new Error(`Cannot collect ${what}: it is another root than the one that waits here`)
  }
  return { ...draft, signatures: [...draft.signatures, ...other.signatures] }
}

/** Leaves only signatures that hold, one of each key that either root asks for its signature. */
export async function onlyGood(draft: RootDraft, current: Root | undefined): Promise<RootDraft> {
  const keys = { ...current?.keys, ...draft.root.keys }
  const asked = [...(current?.roles.root.keys ?? []), ...draft.root.roles.root.keys]
  const good = new Map<KeyId, RootSignature>()
  for (const signature of draft.signatures) {
    const { keyid } = signature
    if (!asked.includes(keyid) || good.has(keyid)) continue
    const alone = spellDraft({ ...draft, signatures: [signature] })
    const role = { keys: [keyid], threshold: 1 }
    const isGood = await openEnvelope(alone, mediaTypes.root, rootLimitBytes, role, keys).then(
      () => true,
      () => false,
    )
    if (isGood) good.set(keyid, signature)
  }
  return { ...draft, signatures: [...good.values()] }
}

/** Who of a role has signed a draft whose signatures all hold. */
export function tally({ signatures }: RootDraft, { keys, threshold }: Role): Tally {
  const signed = keys.filter((id) => signatures.some(({ keyid }) => keyid === id))
  return { signed, missing: keys.filter((id) => !signed.includes(id)), threshold }
}

/** The finished envelope where enough of both roots have signed; else undefined. */
export async function finishDraft(current: Root, draft: RootDraft): Promise<string | undefined> {
  const good = await onlyGood(draft, current)
  for (const role of [current.roles.root, draft.root.roles.root]) {
    const { signed, threshold } = tally(good, role)
    if (signed.length < threshold) return undefined
  }
  const envelope = spellDraft(good)
  await openNextRoot(current, envelope) // by the judgement of every visitor
  return envelope
}
