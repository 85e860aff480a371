import type { OriginConfig } from './config.ts'
import type { Representation } from './representation.ts'
import type { BrowserScripts } from './scripts.ts'
import { textRepresentation } from './serve-manifest.ts'
import { composeWorker } from './worker-file.ts'

/** Our scripts by their file names, made anew for each request. */
export function composeScripts(
  config: OriginConfig,
  rootEnvelope: string,
  scripts: BrowserScripts,
): ReadonlyMap<string, () => Representation> {
  const serviceWorker = composeWorker(
    {
      rootEnvelope,
      base: config.base,
      offlinePages: config.offlinePages,
      pinsPages: true,
      storeLimitBytes: config.storeLimitBytes,
      urls: config.urls,
      ...(config.patterns && { patterns: config.patterns }),
    },
    scripts.serviceWorker,
  )
  const { scriptNames: names } = config
  return new Map([
    [names.tag, () => textRepresentation(scripts.tag, scriptHeaders)],
    [names.worker, () => textRepresentation(scripts.worker, scriptHeaders)],
    [names.prompt, () => textRepresentation(scripts.prompt, scriptHeaders)],
    [names.peers, () => textRepresentation(scripts.peers, scriptHeaders)],
    [names.serviceWorker, () => textRepresentation(serviceWorker, scriptHeaders)],
  ])
}

const scriptHeaders: Representation['headers'] = [
  ['content-type', 'text/javascript; charset=utf-8'],
  // A new version must reach every visitor at their next page.
  ['cache-control', 'no-cache'],
]
