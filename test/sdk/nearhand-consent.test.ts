import { expect, test, vi } from 'vitest'
import { rest, until } from '../fakes/clock.ts'
import type { SceneOptions } from './nearhand-scene.ts'
import { scene } from './nearhand-scene.ts'

test('Nearhand remembers the visitor’s word', async () => {
  const { nearhand, memory } = scene({ consent: 'granted' })
  nearhand.start()
  expect(nearhand.consentState).toBe('granted')
  nearhand.consent(false)
  expect([nearhand.consentState, memory.get('consent')]).toEqual(['denied', 'denied'])
  nearhand.consent(true)
  expect(nearhand.consentState).toBe('granted')
  Reflect.apply(Reflect.get(nearhand, 'consent'), nearhand, ['false'])
  expect(nearhand.consentState, 'nothing but true grants').toBe('denied')
})

test('Nearhand asks once, as soon as its worker is there', async () => {
  const { nearhand, asked, actions } = scene({ answers: [undefined] })
  expect(asked).toEqual([])
  nearhand.start()
  await until(() => asked.length === 1)
  expect(asked).toEqual(['unwished https://site.example/nearhand-consent.js'])
  actions['remembered']?.()
  await rest()
  expect([asked.length, nearhand.consentState]).toEqual([1, 'unknown'])
})

test.each<[string, SceneOptions]>([
  ['the site asks by itself', { consent: 'off' }],
  ['the site has its consent', { consent: 'granted' }],
  ['the browser sends Global Privacy Control', { hasPrivacyControl: true }],
  ['the browser saves data', { circumstances: { saveData: true } }],
  ['there is no WebRTC', { hasWebRtc: false }],
  ['the page is not supported', { isSecure: false }],
])('Nearhand does not ask where %s, but when the visitor wishes', async (_, options) => {
  vi.spyOn(console, 'warn').mockReturnValue()
  const { nearhand, asked } = scene({ ...options, answers: [undefined] })
  nearhand.start()
  await rest()
  expect(asked).toEqual([])
  await nearhand.askConsent()
  expect(asked).toEqual(['wished https://site.example/nearhand-consent.js'])
})

test.each<[string, SceneOptions]>([
  ['sends Global Privacy Control', { hasPrivacyControl: true }],
  ['saves data', { circumstances: { saveData: true } }],
])('Nearhand takes no consent from the site where the browser %s, but from the visitor', async (_, options) => {
  const { nearhand } = scene({ ...options, consent: 'granted', answers: [true] })
  expect(nearhand.consentState).toBe('unknown')
  expect(await nearhand.askConsent()).toBe('granted')
})

test('Nearhand is granted nothing by a prompt that does not load, and stays active', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  const { nearhand } = scene({ answers: 'no file' })
  nearhand.start()
  await until(() => warn.mock.calls.length === 1)
  expect(await nearhand.askConsent()).toBe('unknown')
  expect(nearhand.state).toBe('active')
})

test('Nearhand tells of another word, said here or in another tab', async () => {
  const { nearhand, memory, actions } = scene({ consent: 'off' })
  const told: string[] = []
  nearhand.addEventListener('consent', ({ detail }) => told.push(detail))
  nearhand.start()
  await rest()
  nearhand.consent(false)
  nearhand.consent(false)
  memory.set('consent', 'granted')
  actions['remembered']?.()
  memory.set('consent', undefined)
  actions['remembered']?.()
  expect(told).toEqual(['denied', 'granted', 'unknown'])
})
