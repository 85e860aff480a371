import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { utf8 } from '../../protocol/bytes.ts'
import type { ContentId } from '../../protocol/ids.ts'
import { manifestDeadlineMs, refreshPauseMs, refreshWaitMs } from '../../protocol/limits.ts'
import type { Rule } from '../../sw/rule.ts'
import { Manifests } from '../../sw/manifests.ts'
import { Origin } from '../../sw/origin-fetch.ts'
import { rest, until } from '../fakes/clock.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { makeAsset } from './made-asset.ts'
import type { MadeSite } from './made-site.ts'
import { makeSite, sitePlace } from './made-site.ts'

const first = await makeAsset('/a.jpg', contentOf(10))
const second = await makeAsset('/a.jpg', contentOf(10, 2))
const freshPath = '/.well-known/nearhand/fresh.json'

async function liveSite(): Promise<MadeSite> {
  const site = await makeSite()
  await site.deploy([first])
  return site
}

function open(site: MadeSite, disk = new MemoryDisk()) {
  const revoked: ContentId[] = []
  const reports: unknown[] = []
  const rules: Rule[] = []
  const seen = { unregistrations: 0 }
  const origin = new Origin(site.fetch, sitePlace, () => site.now)
  const manifests = new Manifests({
    root: site.root,
    origin,
    readPart: (id) => origin.readPart(id),
    cache: disk.partCache,
    state: disk.state,
    now: () => site.now,
    random: () => 0.5,
    onRule: (rule) => void rules.push(rule),
    onUnregister: () => void (seen.unregistrations += 1),
    onRevoked: (ids) => void revoked.push(...ids),
    report: (error) => void reports.push(error),
  })
  const find = async () => (await manifests.find('/a.jpg'))?.id
  return { manifests, find, disk, revoked, reports, rules, seen }
}

/** How often the origin was asked for its newest word. */
const freshReads = (site: MadeSite) => site.seen.filter(({ path }) => path === freshPath).length

describe('Manifests', () => {
  test('believes what the site signs, and keeps it', async () => {
    const site = await liveSite()
    const { manifests, find, disk } = open(site)
    await manifests.onNavigation()
    expect([manifests.isValid, manifests.mayUsePeers(), await find()]).toEqual([true, true, first.asset.id])
    expect(await manifests.find('/b.jpg')).toBeUndefined()
    await rest()
    site.intercept = () => Response.error()
    const later = open(site, disk)
    await later.manifests.prepare()
    expect([later.manifests.isValid, await later.find()]).toEqual([true, first.asset.id])
  })

  test('knows a small catalogue before the first request, should the origin go away', async () => {
    const site = await liveSite()
    const { manifests, find, disk } = open(site)
    await manifests.onNavigation()
    await until(() => disk.parts.size === 1)
    site.intercept = () => Response.error()
    expect(await find()).toBe(first.asset.id)
  })

  test('follows a deploy', async () => {
    const site = await liveSite()
    const { manifests, find, disk } = open(site)
    await manifests.onNavigation()
    await find()
    site.now += 5000
    await site.deploy([second])
    await manifests.onNavigation()
    expect(await find()).toBe(second.asset.id)
    await rest()
    expect(disk.parts.size, 'the old part is forgotten').toBe(1)
  })

  test('hears that peers are switched off, and what was revoked', async () => {
    const site = await liveSite()
    const { manifests, find, revoked } = open(site)
    await manifests.onNavigation()
    site.now += 5000
    await site.sayFresh({ peers: false, revoked: [first.asset.id] })
    await manifests.onNavigation()
    expect([manifests.isValid, manifests.mayUsePeers(), await find()]).toEqual([true, false, undefined])
    expect(revoked).toEqual([first.asset.id])
  })

  test.each<[string, (site: MadeSite) => Promise<unknown> | void]>([
    ['absent', (site) => void site.files.delete('fresh.json')],
    ['not JSON', (site) => void site.files.set('fresh.json', 'nonsense')],
    ['of another site', async (site) => site.sayFresh({ site: 'c'.repeat(32) } as object)],
    [
      'forged',
      (site) =>
        alter(site, 'fresh.json', (text) => text.replace('"sig":"A', '"sig":"B').replace(/"sig":"[^A]/, '"sig":"A')),
    ],
    ['expired', async (site) => site.sayFresh({ expires: site.seconds - 1000 })],
    ['of the future', async (site) => site.sayFresh({ issued: site.seconds + 1000 })],
    [
      'without its head',
      (site) =>
        void [...site.files.keys()].filter((name) => name.startsWith('heads/')).map((name) => site.files.delete(name)),
    ],
    [
      'with a forged head',
      (site) => {
        for (const name of site.files.keys()) if (name.startsWith('heads/')) alter(site, name, () => '{}')
      },
    ],
  ])('believes nothing where the manifest is %s', async (_name, spoil) => {
    const site = await liveSite()
    await spoil(site)
    const { manifests, find, reports } = open(site)
    await manifests.onNavigation()
    expect([manifests.isValid, manifests.mayUsePeers(), await find()]).toEqual([false, false, undefined])
    expect(reports.length).toBeGreaterThan(0)
  })

  test.each(['fresh.json', 'heads/', 'parts/'])('stops reading an endless %s', async (name) => {
    const site = await liveSite()
    let sent = 0
    site.intercept = (path) => {
      if (!path.includes(name)) return undefined
      const pull = (controller: ReadableStreamDefaultController): void => {
        sent += 10_000
        controller.enqueue(new Uint8Array(10_000).fill(32))
      }
      return new Response(new ReadableStream({ pull }))
    }
    const { manifests, find } = open(site)
    await manifests.onNavigation()
    await (name === 'parts/' ? expect(find()).rejects.toThrow('over') : expect(find()).resolves.toBeUndefined())
    expect(sent).toBeLessThan(200_000)
  })

  test('refuses a part that is not what its name says, and asks again later', async () => {
    const site = await liveSite()
    const good = new Map(site.files)
    for (const name of site.files.keys()) if (name.startsWith('parts/')) site.files.set(name, utf8('{"rows":[]}'))
    const { manifests, find, disk } = open(site)
    await manifests.onNavigation()
    await expect(find()).rejects.toThrow('not what its name says')
    expect(disk.parts.size).toBe(0)
    for (const [name, file] of good) site.files.set(name, file)
    await expect(find(), 'not with each request').rejects.toThrow('not what its name says')
    site.now += 5000
    expect(await find()).toBe(first.asset.id)
  })

  test('reads a part again that was altered on the device', async () => {
    const site = await liveSite()
    const { manifests, find, disk } = open(site)
    await manifests.onNavigation()
    await find()
    await rest()
    for (const id of disk.parts.keys()) disk.parts.set(id, utf8('{"rows":[]}'))
    const later = open(site, disk)
    await later.manifests.prepare()
    expect(await later.find()).toBe(first.asset.id)
  })

  test('is not rolled back, in this life or a later one', async () => {
    const site = await liveSite()
    const old = new Map(site.files)
    site.now += 10_000
    await site.deploy([second])
    const { manifests, find, disk } = open(site)
    await manifests.onNavigation()
    for (const [name, file] of old) site.files.set(name, file)
    site.now += 5000
    await manifests.onNavigation()
    expect(await find()).toBe(second.asset.id)
    const later = open(site, disk)
    await later.manifests.onNavigation()
    expect(await later.find()).toBe(second.asset.id)
  })

  test('keeps how new the newest was before it uses it', async () => {
    const site = await liveSite()
    const { manifests, disk } = open(site)
    let wasValid: boolean | undefined
    vi.spyOn(disk.state, 'save').mockImplementation(async () => {
      wasValid ??= manifests.isValid
    })
    await manifests.onNavigation()
    expect([wasValid, manifests.isValid]).toEqual([false, true])
  })

  test.each([
    { site: 1 },
    'text',
    null,
    5,
    { site: 'a'.repeat(32), issued: 1, acceptedAt: 1, fresh: '{}', heads: [[0, '']] },
  ])('begins anew where a script wrote %j over what was kept', async (value) => {
    const site = await liveSite()
    const disk = new MemoryDisk()
    disk.values.set('manifest', value)
    const { manifests, find } = open(site, disk)
    await manifests.onNavigation()
    expect(await find()).toBe(first.asset.id)
  })

  test('knows nothing valid once the origin was silent for too long, but still what was there', async () => {
    const site = await liveSite()
    const { manifests, find } = open(site)
    await manifests.onNavigation()
    await find()
    site.intercept = () => Response.error()
    site.now += 301_000
    await manifests.prepare()
    expect([manifests.isValid, manifests.mayUsePeers(), await find()]).toEqual([false, false, first.asset.id])
    site.now += 31 * 86_400_000
    expect(await find(), 'until the head expires').toBeUndefined()
  })

  test('refreshes before its word expires, without a navigation', async () => {
    const site = await liveSite()
    const { manifests } = open(site)
    await manifests.onNavigation()
    site.now += 250_000
    await site.sayFresh({})
    await manifests.prepare()
    expect(manifests.isValid).toBe(true)
    site.now += 100_000
    await until(() => manifests.isValid)
  })

  test('asks a failing origin less and less often, not with each request', async () => {
    const site = await liveSite()
    site.intercept = () => Response.error()
    const { manifests } = open(site)
    for (let request = 0; request < 20; request += 1) {
      await manifests.prepare()
      await rest()
    }
    expect(freshReads(site)).toBe(1)
    for (let second_ = 0; second_ < 600; second_ += 1) {
      site.now += refreshPauseMs
      await manifests.prepare()
      await rest()
    }
    expect(freshReads(site)).toBeLessThan(18)
  })

  test('asks once with each navigation', async () => {
    const site = await liveSite()
    const { manifests } = open(site)
    for (let page = 0; page < 5; page += 1) {
      await manifests.onNavigation()
      await manifests.prepare()
      site.now += 1
    }
    expect(freshReads(site)).toBe(5)
  })

  test('lets a request wait for a slow origin only a moment', async () => {
    const site = await liveSite()
    site.intercept = (_path, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))))
    const { manifests } = open(site)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const navigation = manifests.onNavigation()
    await until(() => freshReads(site) === 1)
    const request = manifests.prepare()
    await rest()
    await vi.advanceTimersByTimeAsync(refreshWaitMs)
    expect(await request, 'the page may be newer than what is known').toBe(false)
    expect(manifests.isValid).toBe(false)
    await vi.advanceTimersByTimeAsync(manifestDeadlineMs)
    await navigation
  })

  test('does without a browser that cannot check the root', async () => {
    const site = await liveSite()
    const verify = vi
      .spyOn(crypto.subtle, 'verify')
      .mockRejectedValue(new DOMException('no Ed25519', 'NotSupportedError'))
    const { manifests, find } = open(site)
    await manifests.onNavigation()
    await manifests.prepare()
    verify.mockRestore()
    expect([manifests.isValid, await find()]).toEqual([false, undefined])
  })
})

function alter(site: MadeSite, name: string, change: (text: string) => string): void {
  const text = site.files.get(name)
  if (typeof text !== 'string') throw new Error(`Cannot test: no ${name}`)
  site.files.set(name, change(text))
}
