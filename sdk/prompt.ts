import type { ConsentTexts } from './consent.ts'
import type { Nearhand } from './nearhand.ts'
import { promptStyle } from './prompt-style.ts'
import { pickTexts } from './prompt-texts.ts'

/*
 * The prompt, in a file of its own: only visitors who are to be asked pay for it. It stands in the element
 * <nearhand-consent>, where the site put that, or over the page's corner. Nothing in it waits for an answer, takes the
 * focus unasked, or uses inline styles, which a policy may forbid.
 */

/** @param isWished by the visitor: it takes the focus, and asks also where there is an answer already */
export type AskConsent = (nearhand: Asking, isWished: boolean) => Promise<void>

/** The part of `window.nearhand` that is needed. */
export type Asking = Pick<Nearhand, 'texts' | 'state' | 'consentState' | 'consent' | 'addEventListener'>

const elementName = 'nearhand-consent'
/** A region that is there before its text is announced by screen readers; one that comes with it is not by all. */
const announceMs = 150

/** Resolves when the prompt is gone: answered here, in another tab or by the site, or Nearhand went off. */
export const askConsent: AskConsent = async (nearhand, isWished) => {
  await parsed()
  if (isIdle(nearhand) || (!isWished && nearhand.consentState !== 'unknown')) return
  const host = findHost()
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(promptStyle)
  root.adoptedStyleSheets = [sheet]
  const closed = new AbortController()
  const { signal } = closed
  // Also that of a prompt which takes the place of this one.
  host.addEventListener('close', () => closed.abort(), { signal })
  // Of the page, to be given back.
  let focused = isWished ? document.activeElement : null
  const remember = ({ relatedTarget }: FocusEvent): void => {
    if (relatedTarget instanceof Element) focused = relatedTarget
  }
  host.addEventListener('focusin', remember, { signal })
  const close = (): void => {
    if (host.matches(':focus-within') && focused instanceof HTMLElement) focused.focus()
    root.replaceChildren()
    host.hidden = true
    if (host.hasAttribute('floating')) host.remove()
    host.dispatchEvent(new Event('close'))
  }
  const answer = (isGranted: boolean): void => {
    nearhand.consent(isGranted)
    close()
  }
  nearhand.addEventListener('consent', close, { signal })
  nearhand.addEventListener('state', () => isIdle(nearhand) && close(), { signal })
  const prompt = createPrompt(nearhand.texts, isWished, answer)
  root.replaceChildren(prompt)
  host.hidden = false
  if (isWished) prompt.focus()
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
}

/** Where an answer would change nothing. */
function isIdle({ state }: Asking): boolean {
  return state === 'off' || state === 'unsupported'
}

function parsed(): Promise<unknown> | undefined {
  if (document.readyState !== 'loading') return undefined
  return new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve, { once: true }))
}

function findHost(): HTMLElement {
  const placed = document.querySelector<HTMLElement>(elementName)
  const host = placed ?? document.createElement(elementName)
  host.toggleAttribute('adaptive', getComputedStyle(document.documentElement).colorScheme === 'normal')
  if (placed === null) {
    host.setAttribute('floating', '')
    // First, so that the keyboard comes there soon.
    document.body.prepend(host)
  }
  return host
}

function createPrompt(texts: ConsentTexts, isWished: boolean, answer: (isGranted: boolean) => void): HTMLElement {
  const own = pickTexts(document.documentElement.lang || navigator.language)
  /** An element whose text the site may give: by a slotted child, by an option, or not at all. */
  const text = (tag: string, name: Exclude<keyof ConsentTexts, 'policyUrl'>): HTMLElement => {
    const element = make(tag, { id: name, part: name })
    const given = texts[name]
    element.append(make('slot', { name, ...(given === undefined && { lang: own.language }) }, given ?? own[name]))
    return element
  }
  const button = (name: 'no' | 'yes'): HTMLElement => {
    const element = text('button', name)
    element.setAttribute('part', `button ${name}`)
    element.setAttribute('type', 'button')
    element.addEventListener('click', () => answer(name === 'yes'))
    return element
  }
  const words = make('div', isWished ? {} : { 'aria-live': 'polite' })
  const label = { 'aria-labelledby': 'question', 'aria-describedby': 'explanation' }
  const prompt = make('section', { part: 'prompt', tabindex: '-1', ...label }, words)
  prompt.append(make('div', { part: 'answers' }))
  prompt.lastElementChild?.append(button('no'), button('yes'))
  prompt.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') answer(false)
  })
  const show = (): void => {
    words.append(text('p', 'question'), text('p', 'explanation'))
    if (texts.policyUrl !== undefined) {
      const link = text('a', 'policy')
      link.setAttribute('href', texts.policyUrl)
      words.append(link)
    }
    prompt.setAttribute('ready', '')
  }
  if (isWished) show()
  else setTimeout(show, announceMs)
  return prompt
}

function make(tag: string, attributes: Readonly<Record<string, string>>, ...content: (Node | string)[]): HTMLElement {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...content)
  return element
}
