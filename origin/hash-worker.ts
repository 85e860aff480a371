import { parentPort } from 'node:worker_threads'
import { maxChunkBytes } from '../protocol/limits.ts'
import { hashFile } from './hash-file.ts'
import type { HashAnswer, HashJob } from './hash-pool.ts'

const buffer = new Uint8Array(maxChunkBytes)

/* Entry of the threads of `hash-pool.ts`: one job in, one answer out, in order. */
parentPort?.on('message', (job: HashJob) => {
  parentPort?.postMessage(answer(job))
})

function answer(job: HashJob): HashAnswer {
  try {
    return { job: job.job, hashed: hashFile(job.file, job.limitBytes, buffer) }
  } catch (error) {
    return { job: job.job, failure: error instanceof Error ? error.message : String(error) }
  }
}
