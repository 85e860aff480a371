import { passTrustOf } from '../protocol/pass.ts'
import type { FromTracker } from '../protocol/tracker-wire.ts'
import { AnnounceTracker } from './announce.ts'
import { createAnnounceDialect } from './announce-dialect.ts'
import { byKeys } from './by-keys.ts'
import type { CheckPass } from './check-pass.ts'
import { createPassCheck } from './check-pass.ts'
import type { OriginConfig } from './config.ts'
import { headSignerOf } from './head.ts'
import { isLocalPage, OpenSwarms } from './join.ts'
import { openLocality } from './locality.ts'
import { createOwnDialect, textsOf } from './own-dialect.ts'
import type { Publisher } from './publisher.ts'
import { Tracker } from './tracker.ts'
import { TrackerSocket } from './tracker-socket.ts'
import type { UpgradeServer } from './upgrade.ts'

export interface OpenTrackers {
  readonly tracker: Tracker
  attach(server: UpgradeServer): void
  /** The same word to every visitor of the site. */
  tellAll(message: FromTracker): void
  close(): Promise<void>
}

/** The site's own tracker, the one for foreign clients where the operator wants it, and the edge of both. */
export async function openTrackers(config: OriginConfig, publisher: Publisher): Promise<OpenTrackers> {
  const locality = await openLocality(config.log)
  const swarms = new OpenSwarms(() => publisher.keys.swarmSecret)
  const check = byKeys(publisher, ({ root }) => createPassCheck(passTrustOf(root)))
  const checkPass: CheckPass = (token, at) => check()(token, at)
  const now = (): number => config.now() / 1000
  const lan = config.lan ?? false
  const tracker = new Tracker({
    lan,
    minimumSwarm: () => publisher.minimumSwarm,
    random: Math.random,
    now,
    checkPass,
    // Who has a host of ours has asked it.
    fresh: () => (headSignerOf(publisher.keys) ? undefined : publisher.lastFresh),
    sectionOf: (swarm) => swarms.sectionOf(swarm, publisher.publication?.sections ?? [], now()),
  })
  const dialects = [createOwnDialect(tracker, config.base)]
  if (config.announce) {
    const announce = new AnnounceTracker({ lan, now: config.now, random: Math.random })
    const asked = config.announce === 'pass' ? checkPass : undefined
    dialects.push(createAnnounceDialect(announce, { base: config.base, checkPass: asked, now }))
  }
  const socket = new TrackerSocket(dialects, {
    proxies: config.proxies,
    isLocalPage: (origin) => config.lan === undefined && isLocalPage(origin),
    isAllowedOrigin: (origin, host) => isOwnOrigin(origin, host) || config.allowedOrigins.includes(origin),
    placeOf: (address) => locality.placeOf(address),
    now: config.now,
    log: config.log,
  })
  return {
    tracker,
    attach: (server) => socket.attach(server),
    tellAll: (message) => socket.perform(textsOf(tracker.announce(message))),
    close: () => socket.close(),
  }
}

/** The scheme is not compared: a proxy in front may have taken TLS off. */
function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
}
