export type ConsentState = 'granted' | 'denied' | 'unknown'

/** Texts of the prompt that replace its own; what is not given comes in the language of the page. */
export interface ConsentTexts {
  /** The short question that also names the prompt for screen readers. */
  readonly question?: string | undefined
  readonly explanation?: string | undefined
  readonly yes?: string | undefined
  readonly no?: string | undefined
  /** Text of the link to the site's privacy policy. */
  readonly policy?: string | undefined
  /** Where that is; no link is shown without it. */
  readonly policyUrl?: string | undefined
}

/**
 * Whether this visitor may be connected to others. What the visitor said counts most; a reluctant browser is not
 * overruled by the site.
 *
 * @param remembered what was kept of the visitor's own word
 * @param isReluctant whether the browser asks not to share (https://w3c.github.io/gpc/), or to spare its line
 */
export function decideConsent(
  remembered: string | undefined,
  site: 'ask' | 'granted' | 'off',
  isReluctant: boolean,
): ConsentState {
  if (remembered === 'granted' || remembered === 'denied') return remembered
  return site === 'granted' && !isReluctant ? 'granted' : 'unknown'
}
