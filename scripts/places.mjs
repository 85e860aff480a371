import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

/**
 * Writes the tables with which the tracker finds who is near: which network and which country an address belongs to.
 * The form stands in origin/locality.ts.
 *
 * @param {string} file
 */
export function writePlaces(file) {
  const asn = dirname(require.resolve('@ip-location-db/asn/package.json'))
  const country = dirname(require.resolve('@ip-location-db/asn-country/package.json'))
  /** @type {Map<string, number>} */
  const countries = new Map()
  const network = (/** @type {string} */ text) => Number(text)
  const nation = (/** @type {string} */ text) => {
    countries.set(text, countries.get(text) ?? countries.size + 1)
    return countries.get(text) ?? 0
  }
  const parts = [
    table(join(asn, 'asn-ipv4-num.csv'), Number, network, Uint32Array),
    table(join(asn, 'asn-ipv6-num.csv'), first48, network, Float64Array),
    table(join(country, 'asn-country-ipv4-num.csv'), Number, nation, Uint32Array),
    table(join(country, 'asn-country-ipv6-num.csv'), first48, nation, Float64Array),
  ]
  writeFileSync(file, Buffer.concat([Buffer.from('NHplace1', 'latin1'), ...parts]))
}

/** @param {string} text a number of 128 bits @returns {number} */
function first48(text) {
  return Number(BigInt(text) >> 80n)
}

/**
 * @param {string} file rows of first address, last address, value
 * @param {(text: string) => number} keyOf
 * @param {(text: string) => number} valueOf
 * @param {typeof Uint32Array | typeof Float64Array} Starts
 */
function table(file, keyOf, valueOf, Starts) {
  const limit = Starts === Uint32Array ? 2 ** 32 : 2 ** 48
  /** @type {number[]} */
  const starts = []
  /** @type {number[]} */
  const values = []
  const put = (/** @type {number} */ start, /** @type {number} */ value) => {
    if (start >= limit) return
    if (starts.at(-1) === start) [starts.length, values.length] = [starts.length - 1, values.length - 1]
    if (values.at(-1) === value || (values.length === 0 && value === 0)) return
    starts.push(start)
    values.push(value)
  }
  for (const row of readFileSync(file, 'utf8').split('\n')) {
    const [first, last, value] = row.split(',', 3)
    if (first === undefined || last === undefined || value === undefined) continue
    put(keyOf(first), valueOf(value))
    // What no row names is nobody's.
    put(keyOf(last) + 1, 0)
  }
  const count = Buffer.alloc(8)
  count.writeUInt32LE(starts.length)
  const [startBytes, valueBytes] = [Starts.from(starts), Uint32Array.from(values)].map(padded)
  return Buffer.concat([count, startBytes ?? count, valueBytes ?? count])
}

/** @param {Uint32Array | Float64Array} numbers */
function padded(numbers) {
  const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  return Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)])
}
