import { expect, test } from 'vitest'
import { pickTexts } from '../../sdk/prompt-texts.ts'

test.each([
  ['de', 'de', 'Ja, teilen'],
  ['de-AT', 'de', 'Ja, teilen'],
  ['PT-br', 'pt', 'Sim, partilhar'],
  ['ja', 'en', 'Yes, share'],
  ['', 'en', 'Yes, share'],
  ['constructor', 'en', 'Yes, share'],
])('pickTexts(%j) answers in %s', (wanted, language, yes) => {
  expect(pickTexts(wanted)).toMatchObject({ language, yes })
})

test.each(['en', 'de', 'fr', 'es', 'it', 'pt', 'nl'])(
  'pickTexts(%j) names the address, and has every text',
  (language) => {
    const { explanation, ...others } = pickTexts(language)
    expect(explanation).toMatch(/IP/)
    for (const text of Object.values(others)) expect(text).not.toBe('')
  },
)
