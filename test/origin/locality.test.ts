import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressKey, AddressTable } from '../../origin/address-table.ts'
import { Locality, openLocality, readPlaceTables } from '../../origin/locality.ts'

describe('AddressTable', () => {
  const table = new AddressTable(Uint32Array.of(10, 20, 30), Uint32Array.of(7, 0, 9))

  test('find() gives what the range that holds a key belongs to', () => {
    expect([9, 10, 19, 20, 29, 30, 4_294_967_295].map((key) => table.find(key))).toEqual([0, 7, 7, 0, 0, 9, 9])
  })

  test('find() gives 0 where there are no ranges', () => {
    expect(new AddressTable(new Uint32Array(0), new Uint32Array(0)).find(5)).toBe(0)
  })
})

describe('addressKey()', () => {
  test.each([
    ['0.0.0.0', 4, 0],
    ['1.2.3.4', 4, 0x01020304],
    ['255.255.255.255', 4, 0xffffffff],
    ['2001:db8:7::1', 6, 0x20010db80007],
    ['2001:db8::', 6, 0x20010db80000],
    ['::1', 6, 0],
    ['::ffff:198.51.100.1', 6, 0],
    ['1:2:3:4:5:6:7:8', 6, 0x000100020003],
    ['ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255', 6, 0xffffffffffff],
  ])('reads %s', (address, version, key) => {
    expect(addressKey(address)).toEqual({ version, key })
  })

  test('gives nothing for what is no address', () => {
    fc.assert(fc.property(fc.string(), (text) => addressKey(`${text} `) === undefined))
    for (const text of ['', '1.2.3', '1.2.3.4.5', 'localhost', '::1::', '1.2.3.256']) {
      expect(addressKey(text)).toBeUndefined()
    }
  })
})

describe('Locality', () => {
  test('tells network, country and subnet by the tables that come with the package', async () => {
    const lines: string[] = []
    const locality = await openLocality((line) => lines.push(line))
    expect(lines).toEqual([])
    const [one, other] = [locality.placeOf('8.8.8.8'), locality.placeOf('8.8.8.4')]
    expect(one).toEqual(other)
    expect(one.network).toBe(15_169)
    expect(one.country).toBeGreaterThan(0)
    expect(locality.placeOf('2001:4860:4860::8888')).toMatchObject({ network: 15_169, country: one.country })
    expect(locality.placeOf('8.8.4.4').subnet).not.toBe(one.subnet)
  })

  test('knows only the subnet of a private address, and of what is no address not even that', async () => {
    const locality = await openLocality(() => {})
    expect(locality.placeOf('192.168.1.7')).toEqual({
      subnet: locality.placeOf('192.168.1.8').subnet,
      network: 0,
      country: 0,
    })
    expect(locality.placeOf('somewhere')).toEqual({ subnet: 'somewhere', network: 0, country: 0 })
  })

  test('knows subnets without any table', () => {
    const locality = new Locality()
    expect(locality.placeOf('8.8.8.8')).toEqual({ ...locality.placeOf('8.8.8.4'), network: 0, country: 0 })
  })

  test('readPlaceTables() refuses another file, an empty and a cut one', () => {
    for (const text of ['', 'NHplace', 'something else', 'NHplace1', 'NHplace1\u0009\0\0\0\0\0\0\0']) {
      expect(() => readPlaceTables(Buffer.from(text, 'latin1'))).toThrow()
    }
  })
})
