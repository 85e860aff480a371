import { expect, test } from 'vitest'
import { configurePeer } from '../../sdk/peer-configuration.ts'

const certificate = { expires: 1 } as RTCCertificate
const turn = { urls: ['turn:relay.example'], username: 'u', credential: 'c' }

test('configurePeer() takes the servers as the origin names them', () => {
  const iceServers = [{ urls: ['stun:stun.example'], username: undefined, credential: undefined }, turn]
  expect(configurePeer({ iceServers }, certificate, false)).toEqual({
    iceServers: [{ urls: ['stun:stun.example'] }, turn],
    iceTransportPolicy: 'all',
    certificates: [certificate],
  })
})

test.each([
  [true, undefined, 'relay'],
  [true, false, 'relay'],
  [false, true, 'relay'],
  [false, false, 'all'],
])('configurePeer() with the page’s relay %s and the origin’s %s allows %s', (page, origin, policy) => {
  const join = { iceServers: [turn], ...(origin === undefined ? {} : { relay: origin }) }
  expect(configurePeer(join, certificate, page).iceTransportPolicy).toBe(policy)
})
