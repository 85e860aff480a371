import type { Site } from './app.ts'
import type { OriginConfig } from './config.ts'
import type { ContentStore } from './content.ts'
import { guardedSections } from './guards.ts'
import { isLocalPage, stunServersOf } from './join.ts'
import { mintJoin } from './mint-join.ts'
import type { Publication } from './publish.ts'
import type { Publisher } from './publisher.ts'
import { messageOf } from './publisher.ts'
import type { Representation } from './representation.ts'
import { findContent } from './serve-content.ts'
import type { SiteFiles } from './site-files.ts'
import type { Tracker } from './tracker.ts'
import { iceServerLimit } from '../protocol/limits.ts'

/** Of a pass: no longer than what its readers take. */
const issuerLimit = 256

interface Parts {
  readonly config: OriginConfig
  readonly publisher: Publisher
  readonly files: SiteFiles
  readonly content: ContentStore
  /** Those of now: the service worker pins the newest root. */
  readonly scripts: () => ReadonlyMap<string, () => Representation>
  readonly tracker: Tracker
  readonly stunPort: number | undefined
}

/** The sections that everybody may join, and of the others those that the site lets this visitor join. */
async function admittedSections(
  { admit, guarded: ownGuarded, log }: Pick<OriginConfig, 'admit' | 'guarded' | 'log'>,
  { sections, heads }: Publication,
  request: Request,
): Promise<readonly string[]> {
  const guarded = guardedSections(heads)
  const closed = sections.filter((section) => guarded.includes(section) || ownGuarded.includes(section))
  let admitted: readonly string[] = []
  try {
    if (closed.length > 0) admitted = await admit(request, closed)
  } catch (error) {
    log(`Cannot admit to ${closed.join(', ')}: ${messageOf(error)}`) // all else is open to the visitor all the same
  }
  return sections.filter((section) => !closed.includes(section) || admitted.includes(section))
}

/** What the routes ask, from the parts that know it. */
export function createSite({ config, publisher, files, content, scripts, tracker, stunPort }: Parts): Site {
  return {
    base: config.base,
    log: config.log,
    manifestFolder: publisher.manifestFolder,
    find: (pathname) => files.find(pathname),
    fresh: () => publisher.fresh(),
    content: (id) => findContent(publisher, content, id),
    isRevoked: (id) => publisher.isRevoked(id),
    script: (name) => scripts().get(name)?.(),
    isAllowedOrigin: (origin) => config.allowedOrigins.includes(origin),
    async join(request, fingerprint) {
      const { keys, publication } = publisher
      if (keys.swarmSecret === undefined || keys.token === undefined || publication === undefined) return undefined
      const sections = await admittedSections(config, publication, request)
      if (sections.length === 0) return undefined
      const own = stunPort === undefined ? [] : stunServersOf(request.url, stunPort, config.stun?.host)
      const lan = config.lan ?? isLocalPage(request.headers.get('origin') ?? request.url)
      const now = config.now() / 1000
      const issuer = new URL(config.base, request.url).href.slice(0, issuerLimit)
      const join = await mintJoin({
        key: keys.token.key,
        site: keys.site,
        swarmSecret: keys.swarmSecret,
        fingerprint,
        sections,
        issuer,
        now,
        iceServers: [...own, ...config.iceServers].slice(0, iceServerLimit),
        lan,
        relay: config.relay,
      })
      return JSON.stringify(join)
    },
    health() {
      const publication = publisher.publication
      return { status: 'ok', seq: publication?.head.seq, assets: publication?.assets.size, peers: tracker.peerCount }
    },
  }
}
