import type { Asset } from '../protocol/chunks.ts'

/** Brotli at a server's usual settings: measured, docs/decisions/0015-text-goes-as-it-is.md */
const textShare = 0.25
const textForm = /^(?:text\/|application\/(?:javascript|json|xml|wasm\b)|image\/svg|.+\+(?:json|xml)\b)/

export function typeOf({ headers }: Pick<Asset, 'headers'>): string {
  return headers.find(([name]) => name === 'content-type')?.[1] ?? ''
}

/** How much of an asset's bytes the origin sends: it compresses text, which peers give as it is. */
export function wireShareOf(asset: Pick<Asset, 'headers'>): number {
  return textForm.test(typeOf(asset)) ? textShare : 1
}
