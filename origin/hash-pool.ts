import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { maxChunkBytes } from '../protocol/limits.ts'
import type { HashedFile } from './hash-file.ts'
import { hashFile } from './hash-file.ts'

/** Hashes files, somewhere. The caller bounds how many it asks for at once. */
export interface Hasher {
  /** How many files are worth asking for at once. */
  readonly width: number
  /** Throws where the file cannot be hashed. */
  hash(file: string): Promise<HashedFile>
  close(): Promise<void>
}

export interface HashJob {
  readonly job: number
  readonly file: string
  readonly limitBytes: number
}

export type HashAnswer =
  | { readonly job: number; readonly hashed: HashedFile }
  | { readonly job: number; readonly failure: string }

/** Threads where the built worker file is there, else the calling thread: sources run without a build. */
export function createHasher(limitBytes: number): Hasher {
  const entry = new URL('./hash-worker.js', import.meta.url)
  if (!existsSync(fileURLToPath(entry))) return createOwnThreadHasher(limitBytes)
  return new HashPool(entry, availableParallelism(), limitBytes)
}

function createOwnThreadHasher(limitBytes: number): Hasher {
  const buffer = new Uint8Array(maxChunkBytes)
  return { width: 1, hash: async (file) => hashFile(file, limitBytes, buffer), close: async () => {} }
}

// A thread makes little garbage; by default it would let 48 MiB of it pile up before it looks.
const youngMib = 4

interface Waiting {
  readonly resolve: (hashed: HashedFile) => void
  readonly reject: (reason: Error) => void
}

interface Thread {
  readonly worker: Worker
  readonly open: Map<number, Waiting>
}

/** One worker thread a core, each started when there is work for it. */
class HashPool implements Hasher {
  readonly width: number
  readonly #entry: URL
  readonly #limitBytes: number
  readonly #size: number
  readonly #threads: Thread[] = []
  #jobs = 0

  constructor(entry: URL, size: number, limitBytes: number) {
    this.#entry = entry
    this.#size = size
    this.#limitBytes = limitBytes
    this.width = size * 2 // a thread finds its next file waiting
  }

  hash(file: string): Promise<HashedFile> {
    const thread = this.#pick()
    this.#jobs += 1
    const job: HashJob = { job: this.#jobs, file, limitBytes: this.#limitBytes }
    return new Promise((resolve, reject) => {
      thread.open.set(job.job, { resolve, reject })
      thread.worker.postMessage(job)
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map(({ worker }) => worker.terminate()))
  }

  #pick(): Thread {
    const idlest = this.#threads.toSorted((one, other) => one.open.size - other.open.size)[0]
    if (idlest && (idlest.open.size === 0 || this.#threads.length >= this.#size)) return idlest
    const thread: Thread = {
      worker: new Worker(this.#entry, { resourceLimits: { maxYoungGenerationSizeMb: youngMib } }),
      open: new Map(),
    }
    thread.worker.on('message', (answer: HashAnswer) => {
      const waiting = thread.open.get(answer.job)
      thread.open.delete(answer.job)
      if ('hashed' in answer) waiting?.resolve(answer.hashed)
      else waiting?.reject(new Error(answer.failure))
    })
    const end = (cause?: unknown): void => {
      const at = this.#threads.indexOf(thread)
      if (at >= 0) this.#threads.splice(at, 1)
      for (const { reject } of thread.open.values()) reject(new Error('Cannot hash file: its thread ended', { cause }))
      thread.open.clear()
    }
    thread.worker.on('error', end)
    thread.worker.on('exit', () => end())
    this.#threads.push(thread)
    return thread
  }
}
