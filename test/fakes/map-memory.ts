import type { Memory, MemoryKey } from '../../sdk/memory.ts'

/** A memory that lasts as long as a test. */
export class MapMemory implements Memory {
  readonly values = new Map<MemoryKey, string>()

  get(key: MemoryKey): string | undefined {
    return this.values.get(key)
  }

  set(key: MemoryKey, value: string | undefined): void {
    if (value === undefined) this.values.delete(key)
    else this.values.set(key, value)
  }
}
