import type { FSWatcher } from 'node:fs'
import { watch } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { watchAgainMs, watchLongestMs, watchQuietMs } from '../protocol/limits.ts'
import { isAbsence } from './disk-file.ts'

/**
 * Tells that something below a folder changed, once it has been quiet for a moment. One watcher a folder: the
 * recursive one of Node takes a watcher for every single file on Linux.
 */
export class FolderWatch {
  readonly #folder: string
  readonly #onChange: () => void
  readonly #onTrouble: (error: unknown) => void
  readonly #watchers = new Map<string, { readonly watcher: FSWatcher; readonly inode: number }>()
  /** Where the folder really was when it was looked at. */
  #real: string | undefined
  #timer: NodeJS.Timeout | undefined
  #linkTimer: NodeJS.Timeout | undefined
  #firstChangeMs: number | undefined
  #isTroubled = false
  #isClosed = false

  private constructor(folder: string, onChange: () => void, onTrouble: (error: unknown) => void) {
    this.#folder = folder
    this.#onChange = onChange
    this.#onTrouble = onTrouble
  }

  static async start(folder: string, onChange: () => void, onTrouble: (error: unknown) => void): Promise<FolderWatch> {
    const watching = new FolderWatch(folder, onChange, onTrouble)
    await watching.#follow()
    watching.#linkTimer = setInterval(() => void watching.#checkLinks(), watchAgainMs).unref()
    return watching
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearInterval(this.#linkTimer)
    for (const { watcher } of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  /** Counts as a change of the folder. */
  #touch(): void {
    if (this.#isClosed) return
    const now = performance.now()
    this.#firstChangeMs ??= now
    // Without this, a file that is written all the time would put everything off for ever.
    const wait = Math.min(watchQuietMs, Math.max(0, this.#firstChangeMs + watchLongestMs - now))
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#settle(), wait).unref()
  }

  /** A deploy that leads a link to its next release changes nothing in the folders that are watched. */
  async #checkLinks(): Promise<void> {
    const real = await realpath(this.#folder).catch(() => undefined)
    if (real !== undefined && real !== this.#real) this.#touch()
  }

  /** New folders are watched before anybody looks into them, so that nothing falls between. */
  async #settle(): Promise<void> {
    this.#firstChangeMs = undefined
    await this.#follow()
    if (!this.#isClosed && !this.#isTroubled) this.#onChange()
  }

  async #follow(): Promise<void> {
    try {
      const present = new Set<string>()
      const real = await realpath(this.#folder)
      await this.#followFolder(real, present)
      this.#real = real
      for (const folder of [...this.#watchers.keys()].filter((name) => !present.has(name))) this.#leave(folder)
      this.#isTroubled = false
    } catch (error) {
      // Such as a build that removes the whole folder before it writes it anew, or too many watchers. Told once.
      if (!this.#isTroubled) this.#onTrouble(error)
      this.#isTroubled = true
      clearTimeout(this.#timer)
      if (!this.#isClosed) this.#timer = setTimeout(() => void this.#settle(), watchAgainMs).unref()
    }
  }

  async #followFolder(folder: string, present: Set<string>): Promise<void> {
    const inode = (await stat(folder)).ino
    if (this.#isClosed) return
    present.add(folder)
    // Another folder of the same name: the watcher still looks at the old one.
    if (this.#watchers.get(folder)?.inode !== inode) this.#leave(folder)
    if (!this.#watchers.has(folder)) {
      const watcher = watch(folder, { persistent: false }, (type, name) => {
        // A folder that is removed or moved away tells so by its own name. Its watcher is dead from then on, and the
        // next folder in its place may even get the same inode. (A file of that name costs no more than a new watcher.)
        if (type === 'rename' && name === basename(folder)) this.#leave(folder)
        this.#touch()
      })
      watcher.on('error', () => this.#touch())
      this.#watchers.set(folder, { watcher, inode })
    }
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && !entry.name.startsWith('.')) {
        await this.#followFolder(join(folder, entry.name), present).catch((error: unknown) => {
          // Gone already, or not ours to read, as `lost+found`: the rest is watched all the same.
          if (!isAbsence(error)) throw error
        })
      }
    }
  }

  #leave(folder: string): void {
    this.#watchers.get(folder)?.watcher.close()
    this.#watchers.delete(folder)
  }
}
