import { compilePatterns } from '../protocol/patterns.ts'
import type { UrlRules } from '../protocol/url-rules.ts'
import { composeWorkerFile, parseWorkerConfig } from '../protocol/worker-config.ts'
import { defaultPatterns } from './default-patterns.ts'

export interface WorkerFileOptions {
  readonly rootEnvelope: string
  /** Default: `defaultPatterns`. */
  readonly patterns?: readonly string[]
  /** The site's folder on its host. Default: `/`. */
  readonly base?: string
  /** Whether stored pages answer a navigation that the network does not. Default: false. */
  readonly offlinePages?: boolean
  /** The server says of each page with which head it was made, as ours does. Default: false. */
  readonly pinsPages?: boolean
  /** Default: 200 MiB. */
  readonly storeLimitBytes?: number
  /** As in the head. Default: none. */
  readonly urls?: UrlRules | undefined
}

const defaultStoreLimitBytes = 200 * 1024 * 1024

/**
 * The site's service worker file: its configuration, then `script`.
 * Throws where an option is not one that the worker could start with.
 */
export function composeWorker(options: WorkerFileOptions, script: string): string {
  const patterns = options.patterns ?? defaultPatterns
  compilePatterns(patterns)
  const config = parseWorkerConfig({
    version: 1,
    root: options.rootEnvelope,
    patterns: [...patterns],
    base: options.base ?? '/',
    offlinePages: options.offlinePages ?? false,
    pinsPages: options.pinsPages ?? false,
    storeLimitBytes: options.storeLimitBytes ?? defaultStoreLimitBytes,
    ...(options.urls && { urls: options.urls }),
  })
  return composeWorkerFile(config, script)
}
