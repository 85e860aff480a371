// Asks once, in one sentence. Nearhand remembers the answer; the panel can change it later.
import { hasWebRtc, whenNearhand } from './ready.js'

const SENTENCE =
  'May this page swap its pictures and film directly with the browsers of other visitors, ' +
  'who could then see your network address?'

const nearhand = await whenNearhand()
const mayAsk = hasWebRtc && nearhand && nearhand.state !== 'unsupported' && nearhand.state !== 'off'
if (mayAsk && nearhand.consentState === 'unknown') ask()

function ask() {
  const bar = document.createElement('section')
  bar.className = 'consent'
  bar.setAttribute('aria-label', 'Sharing')
  const sentence = document.createElement('p')
  sentence.textContent = SENTENCE
  const answers = document.createElement('div')
  answers.append(answer(bar, 'Share with neighbours', true), answer(bar, 'No thanks', false))
  bar.append(sentence, answers)
  // Early in the tab order, and over nothing that is to be read.
  document.querySelector('.skip').after(bar)
}

function answer(bar, text, isGranted) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = isGranted ? 'button yes' : 'button'
  button.textContent = text
  button.addEventListener('click', () => {
    nearhand.consent(isGranted)
    bar.remove()
    window.dispatchEvent(new Event('consentanswered'))
  })
  return button
}
