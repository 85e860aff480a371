export type ConsentState = 'granted' | 'denied' | 'unknown'

/**
 * Whether this visitor may be connected to others. What the visitor said counts most; a browser that asks not to
 * share (https://w3c.github.io/gpc/) is not overruled by the site.
 *
 * @param remembered what was kept of the visitor's own word
 */
export function decideConsent(
  remembered: string | undefined,
  site: 'ask' | 'granted',
  hasPrivacyControl: boolean,
): ConsentState {
  if (remembered === 'granted' || remembered === 'denied') return remembered
  return site === 'granted' && !hasPrivacyControl ? 'granted' : 'unknown'
}

/** What the browser knows of its line (https://wicg.github.io/netinfo/); most tell nothing. */
export interface LineView {
  readonly saveData?: boolean | undefined
  readonly type?: string | undefined
}

/** Bytes a second that may be given to others: none where they cost the visitor money. */
export function uploadLimitOn(line: LineView | undefined, bytesPerSecond: number): number {
  return line?.saveData === true || line?.type === 'cellular' ? 0 : bytesPerSecond
}
