import * as v from 'valibot'
import { parseValue } from './json.ts'
import { patternLength, patternLimit, rootLimitBytes } from './limits.ts'
import { list, text, whole } from './schemas.ts'
import type { UrlRules } from './url-rules.ts'
import { urlRulesSchema } from './url-rules.ts'

/** What the publisher compiles into the worker file. It changes only with the root, the patterns or an option. */
export interface WorkerConfig {
  readonly version: 1
  /** The signed root, as the text of its envelope. */
  readonly root: string
  /** See `compilePatterns`: what the worker may answer at all. */
  readonly patterns: readonly string[]
  /** The site's folder on its host, `/` or `/sub/`. Paths of the manifest begin below it. */
  readonly base: string
  /** Whether stored pages answer a navigation that the network does not. */
  readonly offlinePages: boolean
  /** Whether the origin says of each page with which head it was made. */
  readonly pinsPages: boolean
  /** Bytes that the store of this site may take on a device. */
  readonly storeLimitBytes: number
  /** URLs that may be answered besides those of the site's own host without a query. What counts is what the head says. */
  readonly urls?: UrlRules | undefined
}

/** The global that the first line of the worker file sets. */
export const workerConfigGlobal = 'nearhandConfig'

const schema = v.strictObject({
  version: v.literal(1),
  root: text(rootLimitBytes * 2),
  patterns: list(text(patternLength), patternLimit),
  base: v.pipe(v.string(), v.regex(/^\/(?:[^?#\s]*\/)?$/, 'a base begins and ends with /')),
  offlinePages: v.boolean(),
  pinsPages: v.boolean(),
  storeLimitBytes: whole(),
  urls: v.optional(urlRulesSchema),
})

export function parseWorkerConfig(value: unknown): WorkerConfig {
  return parseValue(schema, value, 'worker configuration')
}

/** The worker file: its configuration, then the script. */
export function composeWorkerFile(config: WorkerConfig, script: string): string {
  // U+2028 and `<` are escaped so that the line is safe wherever a site may paste it.
  const json = JSON.stringify(config).replace(/[<\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
  return `self.${workerConfigGlobal}=${json};\n${script}`
}
