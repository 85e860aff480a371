import { expect, test } from 'vitest'
import { addressGroup, clientAddress, trustedProxyList } from '../../origin/client-address.ts'

const proxies = trustedProxyList(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32'])

function request(remoteAddress: string, forwarded?: string): Parameters<typeof clientAddress>[0] {
  return { socket: { remoteAddress }, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } }
}

test.each([
  ['198.51.100.1', undefined, '198.51.100.1'],
  ['::ffff:198.51.100.1', undefined, '198.51.100.1'],
  ['198.51.100.1', '203.0.113.9', '198.51.100.1'],
  ['10.1.2.3', '203.0.113.9', '203.0.113.9'],
  ['::ffff:10.1.2.3', '203.0.113.9', '203.0.113.9'],
  ['10.1.2.3', '1.1.1.1, 203.0.113.9', '203.0.113.9'],
  ['10.1.2.3', '1.1.1.1, 203.0.113.9, 192.0.2.1', '203.0.113.9'],
  ['10.1.2.3', '[2001:4860::1]:4711', '2001:4860::1'],
  ['2001:db8::5', '203.0.113.9', '203.0.113.9'],
  ['10.1.2.3', 'unknown', '10.1.2.3'],
  ['10.1.2.3', '', '10.1.2.3'],
  ['10.1.2.3', '203.0.113.9, nonsense', '10.1.2.3'],
  ['10.1.2.3', '10.9.9.9', '10.9.9.9'],
])('clientAddress() of %s with X-Forwarded-For %s is %s', (remote, forwarded, expected) => {
  expect(clientAddress(request(remote, forwarded), proxies)).toBe(expected)
})

test('trustedProxyList() refuses what is neither an address nor a range', () => {
  for (const entry of ['', 'localhost', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/x', '::/129', '10.0.0']) {
    expect(() => trustedProxyList([entry])).toThrow(TypeError)
  }
})

test('addressGroup() counts a /64 of IPv6 as one', () => {
  expect(addressGroup('2001:db8:1:2:3:4:5:6')).toBe(addressGroup('2001:db8:1:2::9'))
  expect(addressGroup('2001:db8::1')).toBe(addressGroup('2001:db8:0:0:ffff::'))
  expect(addressGroup('2001:db8:1:2::9')).not.toBe(addressGroup('2001:db8:1:3::9'))
  expect(addressGroup('198.51.100.1')).toBe('198.51.100.1')
})
