import * as v from 'valibot'

declare const brand: unique symbol
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name }

/**
 * Names content: SHA-256, 64 lower-case hex digits. Of the content itself where it is one chunk,
 * of its chunk list where it is more; of the bytes of a manifest part.
 */
export type ContentId = Branded<string, 'ContentId'>
/** One site, 32 hex digits, made at keygen; what keeps one site's signed objects from another's. */
export type SiteId = Branded<string, 'SiteId'>
/** One swarm, 32 hex digits: HMAC of the site's secret, the section and the epoch. Not derivable from a URL. */
export type SwarmId = Branded<string, 'SwarmId'>
/** One tracker connection, 32 hex digits, given by the tracker and new at each connection. */
export type PeerId = Branded<string, 'PeerId'>
/** A signing key: SHA-256 of the raw public key, 64 hex digits. */
export type KeyId = Branded<string, 'KeyId'>

export const contentIdSchema: v.GenericSchema<string, ContentId> = hex<ContentId>(64)
export const siteIdSchema: v.GenericSchema<string, SiteId> = hex<SiteId>(32)
export const swarmIdSchema: v.GenericSchema<string, SwarmId> = hex<SwarmId>(32)
export const peerIdSchema: v.GenericSchema<string, PeerId> = hex<PeerId>(32)
export const keyIdSchema: v.GenericSchema<string, KeyId> = hex<KeyId>(64)

/** Undefined where the text is no content id. */
export function parseContentId(text: string): ContentId | undefined {
  const result = v.safeParse(contentIdSchema, text)
  return result.success ? result.output : undefined
}

// @__NO_SIDE_EFFECTS__
function hex<Id extends string>(digits: number): v.GenericSchema<string, Id> {
  const form = new RegExp(`^[0-9a-f]{${digits}}$`)
  return v.pipe(
    v.string(),
    v.regex(form, `not ${digits} hex digits`),
    v.transform((text) => text as Id),
  )
}
