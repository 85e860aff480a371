/** What the worker may answer unless a site says otherwise: files that are the same for every visitor. Never HTML. */
export const defaultPatterns: readonly string[] = []
