export interface WorkerFileOptions {
  readonly rootEnvelope: string
  /** Default: `defaultPatterns`. */
  readonly patterns?: readonly string[]
  /** The site's folder on its host. Default: `/`. */
  readonly base?: string
  /** Default: false. */
  readonly offlinePages?: boolean
  /** Default: 256 MiB. */
  readonly storeLimitBytes?: number
}

/** The site's service worker file: its configuration, then `script`. */
export function composeWorker(_options: WorkerFileOptions, _script: string): string {
  throw new Error('Cannot compose worker file: not built yet')
}
