import { join } from 'node:path'
import type { Hono } from 'hono'
import { manifestFolder } from '../protocol/manifest.ts'
import { createApp } from './app.ts'
import type { OriginConfig, OriginOptions } from './config.ts'
import { resolveConfig } from './config.ts'
import { ContentStore } from './content.ts'
import { headSignerOf } from './head.ts'
import { describeKeyLimits } from './key-limits.ts'
import { byKeys } from './by-keys.ts'
import type { SiteKeys } from './keys.ts'
import { KeysWatch } from './keys-watch.ts'
import { newKeysNote } from './new-keys-note.ts'
import { openKeys } from './open-keys.ts'
import type { OpenTrackers } from './open-trackers.ts'
import { openTrackers } from './open-trackers.ts'
import { messageOf, Publisher } from './publisher.ts'
import type { Publication } from './publish.ts'
import { readBrowserScripts } from './scripts.ts'
import { composeScripts } from './serve-scripts.ts'
import { createSite } from './site.ts'
import { SiteFiles } from './site-files.ts'
import { assertPlaces } from './site-places.ts'
import type { StateLock } from './state-lock.ts'
import { lockState } from './state-lock.ts'
import type { StunSocket } from './stun-socket.ts'
import { startStun } from './stun-socket.ts'
import { SwitchesWatch } from './switches-watch.ts'
import type { UpgradeServer } from './upgrade.ts'
import { FolderWatch } from './watch.ts'

/** A site with everything that Nearhand needs of its server. */
export interface Origin {
  /** Answers for the site, its manifest and scripts; mount it with `app.route('/', origin.app)`. */
  readonly app: Hono
  /**
   * Takes the tracker's WebSocket upgrades of a Node server. Others are left to other listeners; where there is none,
   * a WebSocket is refused, and the wish for another protocol ignored.
   */
  attach(server: UpgradeServer): void
  /** Publishes what the folder holds now. Rejects where that fails; what was published before stays. */
  publish(): Promise<Publication>
  readonly publication: Publication
  /** Ends the tracker, STUN and the watch. Responses that run are the server's to end. */
  close(): Promise<void>
}

/**
 * Opens or makes the site's keys, publishes the folder and gives its server.
 * Rejects where an option is wrong, the keys cannot be used, or the folder cannot be published.
 *
 * @param signal gives up the start, and does nothing after it
 */
export async function createOrigin(options: OriginOptions, signal?: AbortSignal): Promise<Origin> {
  const config = resolveConfig(options)
  await assertPlaces(config)
  const lock = await lockState(config.state, config.folder)
  try {
    return await openOrigin(config, lock, signal)
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function openOrigin(config: OriginConfig, lock: StateLock, signal: AbortSignal | undefined): Promise<Origin> {
  const { keys, isNew } = await openKeys(config.keys, config.now(), config.freshSeconds)
  if (isNew) config.log(newKeysNote(keys, config.keys))
  const isSigning = headSignerOf(keys) !== undefined
  if (!isSigning) assertNoInjection(config)
  const browserScripts = config.scripts ?? (await readBrowserScripts())
  const content = new ContentStore(join(config.state, 'content'), config.keepContentBytes, config.log)
  const publisher: Publisher = new Publisher(config, keys, (publication, isNews) => {
    content.keep(publication)
    if (isNews) void tellFresh(publisher, trackers, config.log)
  })
  const scripts = byKeys(publisher, ({ rootEnvelope }) => composeScripts(config, rootEnvelope, browserScripts))
  const trackers = await openTrackers(config, publisher)
  const parts: { close(): unknown }[] = [publisher, content, trackers]
  const close = once(async () => {
    await Promise.all(parts.map((part) => part.close()))
    await lock.release()
  })
  const stop = (): void => void close()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    signal?.throwIfAborted()
    const tellAll = (): void => void tellFresh(publisher, trackers, config.log)
    parts.push(
      await SwitchesWatch.start(config.state, (switches) => (publisher.setSwitches(switches), tellAll()), config.log),
    )
    // Before the first publication, so that no change falls between.
    if (config.watch) parts.push(await startWatch(config.folder, config, publisher))
    const deployed = join(config.folder, manifestFolder)
    if (config.watch && !isSigning) parts.push(await startWatch(deployed, { ...config, log: () => {} }, publisher))
    const first = await publisher.publish()
    for (const line of describeKeyLimits(keys, first, config.freshSeconds)) config.log(line)
    // Pages of a static host ask their own host for its word, and cannot get ours by any other way.
    if (!isSigning) await publisher.fresh()
    // A visitor who reads for minutes asks for nothing, and would give nothing any more once the word has run out.
    parts.push(repeat(tellAll, (config.freshSeconds * 1000) / 2))
    const { keys: folder, log } = config
    const change = (next: SiteKeys): Promise<void> => publisher.changeKeys(next)
    parts.push(new KeysWatch({ folder, current: () => publisher.keys, change, now: config.now, log }))
    const stun = await startStunOrLog(config)
    if (stun) parts.push(stun)
    const files = await SiteFiles.open(config, publisher)
    const site = createSite({
      config,
      publisher,
      files,
      content,
      scripts,
      tracker: trackers.tracker,
      stunPort: stun?.port,
    })
    return {
      app: createApp(site),
      attach: (server) => trackers.attach(server),
      publish: () => publisher.publish(),
      get publication() {
        return publisher.publication ?? first
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

function assertNoInjection({ consent }: OriginConfig): void {
  if (consent === undefined) return
  throw new TypeError('Cannot inject: the pages were signed without the tag, and no key for others is here')
}

function repeat(work: () => void, pauseMs: number): { close(): void } {
  const timer = setInterval(work, pauseMs).unref()
  return { close: () => clearInterval(timer) }
}

function once<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | undefined
  return () => (result ??= work())
}

/** Pages learn of a deploy at once, instead of when their word about the head runs out. */
async function tellFresh(publisher: Publisher, trackers: OpenTrackers, log: OriginConfig['log']): Promise<void> {
  try {
    const envelope = await publisher.fresh()
    if (envelope !== undefined) trackers.tellAll({ type: 'fresh', envelope })
  } catch (error) {
    log(`Cannot tell visitors of what was published: ${messageOf(error)}`)
  }
}

/** Without STUN, visitors behind routers do not find each other; the site is served all the same. */
async function startStunOrLog({ stun, log }: OriginConfig): Promise<StunSocket | undefined> {
  if (stun === undefined) return undefined
  try {
    return await startStun(stun.port, stun.host)
  } catch (error) {
    log(`Cannot answer STUN on UDP port ${stun.port}: ${messageOf(error)}; visitors behind routers may not connect`)
    return undefined
  }
}

function startWatch(folder: string, { log }: OriginConfig, publisher: Publisher): Promise<FolderWatch> {
  return FolderWatch.start(
    folder,
    () => void publisher.publishQuietly(),
    (error) => log(`Cannot watch ${folder}: ${messageOf(error)}; trying again`),
  )
}
