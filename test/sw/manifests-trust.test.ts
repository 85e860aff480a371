import { describe, expect, test } from 'vitest'
import { contentIdOf } from '../../protocol/hash.ts'
import type { Fresh } from '../../protocol/manifest.ts'
import { manifestFiles, mediaTypes } from '../../protocol/manifest.ts'
import { passTrustOf } from '../../protocol/pass.ts'
import { openPinnedRoot } from '../../protocol/trusted-manifest.ts'
import type { Rule } from '../../sw/rule.ts'
import { Manifests } from '../../sw/manifests.ts'
import { Origin } from '../../sw/origin-fetch.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { rootOf, signJson, testKey } from '../protocol/signers.ts'
import { makeAsset } from './made-asset.ts'
import type { MadeSite } from './made-site.ts'
import { makeSite, sitePlace } from './made-site.ts'

const asset = await makeAsset('/a.jpg', contentOf(10))

async function liveSite(): Promise<MadeSite> {
  const site = await makeSite()
  await site.deploy([asset])
  return site
}

function open(site: MadeSite, { disk = new MemoryDisk(), root = site.root, lot = 0.5 } = {}) {
  const reports: unknown[] = []
  const rules: Rule[] = []
  const seen = { unregistrations: 0 }
  const origin = new Origin(site.fetch, sitePlace, () => site.now)
  const manifests = new Manifests({
    root,
    origin,
    readPart: (id) => origin.readPart(id),
    cache: disk.partCache,
    state: disk.state,
    now: () => site.now,
    random: () => lot,
    onRule: (rule) => void rules.push(rule),
    onUnregister: () => void (seen.unregistrations += 1),
    onRevoked: () => {},
    report: (error) => void reports.push(error),
  })
  return { manifests, disk, reports, rules, seen }
}

const envelopeOf = (site: MadeSite): string => String(site.files.get(manifestFiles.fresh))

describe('Manifests and the roots', () => {
  test('walks from the pinned root to the newest over all that it missed, and keeps the way', async () => {
    const site = await liveSite()
    const { manifests, disk } = open(site)
    await manifests.onNavigation()
    // One of those between has expired long ago.
    await site.rotate(await testKey(11), { expires: 1_700_000_000 })
    await site.rotate(await testKey(12))
    await site.rotate(await testKey(13))
    await site.sayFresh({})
    await manifests.onNavigation()
    expect(manifests.isValid).toBe(true)
    const before = site.seen.length
    const later = open(site, { disk }).manifests
    await later.onNavigation()
    expect(later.isValid).toBe(true)
    expect(
      site.seen
        .slice(before)
        .map(({ path }) => path)
        .filter((path) => path.includes('roots/')),
    ).toEqual([])
  })

  test('follows a rotation that the tracker tells of, and looks for none at each word of a strange key', async () => {
    const site = await liveSite()
    const { manifests } = open(site)
    await manifests.onNavigation()
    await site.rotate(await testKey(11))
    await site.sayFresh({})
    await manifests.take(envelopeOf(site))
    expect(manifests.isValid).toBe(true)
    const strange = await signJson(mediaTypes.fresh, {}, [await testKey(12)])
    const before = site.seen.length
    for (const _ of [1, 2, 3]) await expect(manifests.take(strange)).rejects.toThrow('0 of 1')
    expect(site.seen.length - before).toBe(0)
    site.now += 60_000
    for (const _ of [1, 2, 3]) await expect(manifests.take(strange)).rejects.toThrow('0 of 1')
    expect(site.seen.length - before).toBe(1)
  })

  test('believes a stale key no more once the root changed, and forgets what it said (fast-forward)', async () => {
    const site = await liveSite()
    const { manifests } = open(site)
    await site.sayFresh({ seq: Number.MAX_SAFE_INTEGER, issued: site.seconds })
    const stolen = envelopeOf(site)
    await manifests.onNavigation()
    await site.rotate(await testKey(11))
    await site.deploy([asset])
    await manifests.onNavigation()
    expect(manifests.isValid, 'the number of the thief is no floor any more').toBe(true)
    await expect(manifests.take(stolen, true)).rejects.toMatchObject({ code: 'untrusted' })
  })

  test.each<[string, (site: MadeSite) => Promise<void>]>([
    [
      'that the old key did not sign',
      async (site) => {
        const keys = await Promise.all([testKey(21), testKey(2), testKey(11), testKey(4)])
        const body = rootOf('a'.repeat(32), keys, { version: 2 })
        site.files.set(manifestFiles.rootOf(2), await signJson(mediaTypes.root, body, [keys[0]]))
      },
    ],
    [
      'that its own key did not sign',
      async (site) => {
        const keys = await Promise.all([testKey(21), testKey(2), testKey(11), testKey(4)])
        const body = rootOf('a'.repeat(32), keys, { version: 2 })
        site.files.set(manifestFiles.rootOf(2), await signJson(mediaTypes.root, body, [await testKey(1)]))
      },
    ],
    ['of another number', (site) => site.rotate(testKeyNow, { version: 3 })],
    ['of another site', (site) => site.rotate(testKeyNow, { site: 'b'.repeat(32) })],
  ])('follows no root %s', async (_name, spoil) => {
    const site = await liveSite()
    const { manifests, disk } = open(site)
    await spoil(site)
    const forged = { ...JSON.parse(Buffer.from(JSON.parse(envelopeOf(site)).payload, 'base64').toString()), root: 2 }
    await expect(manifests.take(await signJson(mediaTypes.fresh, forged, [testKeyNow]), true)).rejects.toThrow('Cannot')
    expect(disk.values.has('roots')).toBe(false)
  })

  test('has a floor that survives a wiped device', async () => {
    const site = await liveSite()
    const keys = await Promise.all([testKey(1), testKey(2), testKey(3), testKey(4)])
    const root = await signJson(mediaTypes.root, rootOf('a'.repeat(32), keys, { floor: 2 }), [keys[0]])
    const { manifests } = open(site, { root })
    await manifests.onNavigation()
    expect(manifests.isValid).toBe(false)
    await site.deploy([asset])
    await manifests.onNavigation()
    expect(manifests.isValid).toBe(true)
  })

  test('goes on from the pinned root where a script wrote other ones', async () => {
    const site = await liveSite()
    const disk = new MemoryDisk()
    disk.values.set('roots', ['{}', 'nonsense'])
    disk.values.set('lot', 'x')
    const { manifests } = open(site, { disk })
    await manifests.onNavigation()
    expect(manifests.isValid).toBe(true)
  })
})

const testKeyNow = await testKey(11)

describe('Manifests and the operator’s switches', () => {
  async function ruled(fields: Partial<Fresh>, lot?: number) {
    const site = await liveSite()
    await site.sayFresh(fields)
    const opened = open(site, lot === undefined ? {} : { lot })
    await opened.manifests.onNavigation()
    return { site, ...opened }
  }

  test('says what holds, and until when', async () => {
    const { manifests, rules, site } = await ruled({ off: ['/private/'] })
    const passes = passTrustOf(await openPinnedRoot(site.root))
    expect(rules).toMatchObject([{ peers: true, servesUntil: site.now + 300_000, off: ['/private/'], passes }])
    expect([manifests.mayUsePeers('/a.jpg'), manifests.mayUsePeers('/private/a.jpg')]).toEqual([true, false])
    await manifests.tellRule()
    expect(rules).toHaveLength(2)
  })

  test.each<[number, number, boolean]>([
    [0, 0, false],
    [0.5, 0.49, true],
    [0.5, 0.5, false],
    [1, 0.999, true],
  ])('lets a share of %d in: lot %d is %s', async (share, lot, isIn) => {
    const { manifests, disk } = await ruled({ share }, lot)
    expect(manifests.mayUsePeers()).toBe(isIn)
    expect(disk.values.get('lot')).toBe(lot)
  })

  test('takes what the tracker pushed, and turns peers off at once', async () => {
    const { manifests, rules, site } = await ruled({})
    site.now += 1000
    await site.sayFresh({ peers: false })
    await manifests.take(envelopeOf(site))
    expect(rules.at(-1)).toMatchObject({ peers: false, servesUntil: 0 })
  })

  test('uses no peers while there are two heads with one number (equivocation)', async () => {
    const { manifests, site } = await ruled({})
    site.now += 1000
    await site.sayFresh({ head: await contentIdOf(new Uint8Array(1)) })
    await expect(manifests.take(envelopeOf(site))).rejects.toMatchObject({ code: 'equivocal' })
    expect(manifests.mayUsePeers()).toBe(false)
    await site.deploy([asset])
    await manifests.onNavigation()
    expect(manifests.mayUsePeers(), 'with the next number').toBe(true)
  })

  test('goes on for its grace only where neither origin nor tracker can be reached', async () => {
    const { manifests, site, rules } = await ruled({ grace: 1800 })
    const servesUntil = site.now + 300_000 + 1_800_000
    site.now += 301_000
    expect(manifests.mayUsePeers()).toBe(false)
    site.intercept = () => new Response('no', { status: 503 })
    await manifests.onNavigation()
    expect([manifests.mayUsePeers(), manifests.isValid], 'an origin that answers at all').toEqual([false, false])
    site.intercept = () => Promise.reject(new TypeError('Failed to fetch'))
    await manifests.onNavigation()
    expect([manifests.mayUsePeers(), manifests.isValidAt('/a.jpg')]).toEqual([true, true])
    expect(rules.at(-1)).toMatchObject({ isCutOff: true, servesUntil })
    manifests.trackerIs(true)
    expect(rules.at(-1)).toMatchObject({ isCutOff: false, servesUntil: 0 })
    expect(manifests.mayUsePeers()).toBe(false)
    manifests.trackerIs(false)
    site.now += 1_800_000
    expect([manifests.mayUsePeers(), manifests.isValid], 'after its grace').toEqual([false, false])
  })

  test('ends where the operator wants every worker gone', async () => {
    expect((await ruled({ unregister: true })).seen.unregistrations).toBe(1)
  })

  test.each([-290_000, 290_000])('works on a device whose clock is %d ms off', async (offMs) => {
    const site = await liveSite()
    const { manifests, rules } = open(site)
    const serverNow = site.now
    const file = envelopeOf(site)
    site.intercept = (path) =>
      path.endsWith('fresh.json')
        ? new Response(file, { headers: { date: new Date(serverNow).toUTCString() } })
        : undefined
    site.now += offMs
    await manifests.onNavigation()
    expect(manifests.isValid && manifests.mayUsePeers()).toBe(true)
    expect(rules.at(-1)?.servesUntil).toBe(serverNow + 300_000 + offMs)
  })
})

describe('Manifests, told two words at once', () => {
  test.each([
    ['signed later', 10],
    ['signed in the same second', 0],
  ])('keep the newer one, %s, also where the older is read last (rollback)', async (_name, secondsLater) => {
    const site = await liveSite()
    const { manifests, disk } = open(site)
    await manifests.onNavigation()
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    site.now += 10_000
    await site.deploy([await makeAsset('/a.jpg', contentOf(11))])
    const older = envelopeOf(site)
    const head = new Promise<string>((resolve) => {
      site.intercept = (path) => {
        resolve(path)
        return held.then(() => new Response(site.files.get(path.replace(/^.*(?=heads)/, ''))))
      }
    })
    const first = manifests.take(older)
    await head
    site.intercept = () => undefined
    site.now += secondsLater * 1000
    await site.deploy([asset])
    const newer = envelopeOf(site)
    await manifests.take(newer)
    release()
    await first
    expect(disk.values.get('manifest')).toMatchObject({ fresh: newer })
    expect((await manifests.find('/a.jpg'))?.id).toBe(asset.asset.id)
    await expect(open(site, { disk }).manifests.take(older)).rejects.toMatchObject({ code: 'rollback' })
  })
})
