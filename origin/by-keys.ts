import type { SiteKeys } from './keys.ts'

/** What follows from the keys, made anew where they are others. */
export function byKeys<Made>(publisher: { readonly keys: SiteKeys }, make: (keys: SiteKeys) => Made): () => Made {
  let last: { readonly keys: SiteKeys; readonly made: Made } | undefined
  return () => {
    const { keys } = publisher
    if (last?.keys !== keys) last = { keys, made: make(keys) }
    return last.made
  }
}
