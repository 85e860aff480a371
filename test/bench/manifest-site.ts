import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const filesPerFolder = 1000

/** Paths of a shop's pictures, in folders of a thousand. */
export function pathAt(index: number): string {
  const folder = Math.floor(index / filesPerFolder)
  return `/catalogue/${String(folder).padStart(4, '0')}/item-${String(index % filesPerFolder).padStart(3, '0')}.jpg`
}

/** Really writes so many files, each of 100 to 355 bytes that no other has. */
export function writeFiles(folder: string, count: number, told: (done: number) => void): void {
  for (let index = 0; index < count; index += 1) {
    if (index % filesPerFolder === 0) {
      mkdirSync(join(folder, pathAt(index), '..'), { recursive: true })
      told(index)
    }
    writeFileSync(join(folder, pathAt(index)), contentOf(index, 0))
  }
}

/** Another content for some files all over the site. */
export function changeFiles(folder: string, indexes: readonly number[], run: number): void {
  for (const index of indexes) writeFileSync(join(folder, pathAt(index)), contentOf(index, run))
}

/** Numbers that are spread like random ones, and are the same in each run. */
export function spread(count: number, below: number, seed: number): readonly number[] {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  })
}

function contentOf(index: number, run: number): Uint8Array {
  const bytes = new Uint8Array(100 + (Math.imul(index + run, 2_654_435_761) >>> 24))
  new DataView(bytes.buffer).setUint32(0, index)
  new DataView(bytes.buffer).setUint32(4, run)
  return bytes
}
