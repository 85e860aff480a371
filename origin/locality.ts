import { readFile } from 'node:fs/promises'
import { addressKey, AddressTable } from './address-table.ts'
import type { Place } from './roster.ts'

/**
 * Tells where an address lies, from tables of who announces which addresses. Asked once for each connection; what
 * it says never leaves the server.
 */
export class Locality {
  readonly #networks: readonly [AddressTable, AddressTable]
  readonly #countries: readonly [AddressTable, AddressTable]

  constructor(tables: PlaceTables = emptyTables()) {
    this.#networks = tables.networks
    this.#countries = tables.countries
  }

  placeOf(address: string): Place {
    const found = addressKey(address)
    if (found === undefined) return { subnet: address, network: 0, country: 0 }
    const { version, key } = found
    const at = version === 4 ? 0 : 1
    return {
      // The same letters for all of a /24, or a /48.
      subnet: version === 4 ? `4/${key >>> 8}` : `6/${key}`,
      network: this.#networks[at].find(key),
      country: this.#countries[at].find(key),
    }
  }
}

/** For IPv4 and for IPv6. */
export interface PlaceTables {
  readonly networks: readonly [AddressTable, AddressTable]
  readonly countries: readonly [AddressTable, AddressTable]
}

// From the bundle in dist/npm/origin/, and from the sources in origin/.
const places = ['../../places.bin', '../dist/places.bin']

/** Reads the tables that come with the package. Without them only subnets are known: it is said, and the server runs. */
export async function openLocality(log: (line: string) => void): Promise<Locality> {
  const failures: unknown[] = []
  for (const place of places) {
    try {
      return new Locality(readPlaceTables(await readFile(new URL(place, import.meta.url))))
    } catch (error) {
      failures.push(error)
    }
  }
  log(`Cannot read where addresses lie, so visitors meet without regard to it: ${failures.map(String).join('; ')}`)
  return new Locality()
}

const magic = 'NHplace1'

/**
 * `NHplace1`, then for networks of IPv4, networks of IPv6, countries of IPv4, countries of IPv6: the number of rows
 * (u32) and four bytes of nothing, the starts (u32 for IPv4, f64 for IPv6), the values (u32); each part begins at a
 * multiple of eight. All little-endian.
 */
export function readPlaceTables(file: Uint8Array): PlaceTables {
  // A view of numbers needs an aligned start.
  const { buffer } = file.slice()
  if (Buffer.from(buffer, 0, Math.min(8, buffer.byteLength)).toString('latin1') !== magic) {
    throw new TypeError('Cannot read places.bin: not a table of addresses')
  }
  let at = magic.length
  const table = (Starts: typeof Uint32Array | typeof Float64Array): AddressTable => {
    const [count = 0] = new Uint32Array(buffer, at, 1)
    const starts = new Starts(buffer, at + 8, count)
    const values = new Uint32Array(buffer, aligned(at + 8 + starts.byteLength), count)
    at = aligned(values.byteOffset + values.byteLength)
    return new AddressTable(starts, values)
  }
  const networks = [table(Uint32Array), table(Float64Array)] as const
  return { networks, countries: [table(Uint32Array), table(Float64Array)] }
}

function aligned(offset: number): number {
  return Math.ceil(offset / 8) * 8
}

function emptyTables(): PlaceTables {
  const empty = new AddressTable(new Uint32Array(0), new Uint32Array(0))
  return { networks: [empty, empty], countries: [empty, empty] }
}
