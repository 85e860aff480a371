import { describe, expect, test } from 'vitest'
import type { Bytes } from '../../protocol/bytes.ts'
import { utf8 } from '../../protocol/bytes.ts'
import { contentIdOf } from '../../protocol/hash.ts'
import type { ContentId } from '../../protocol/ids.ts'
import type { Root } from '../../protocol/manifest.ts'
import { mediaTypes } from '../../protocol/manifest.ts'
import { EquivocationError, openNextRoot, openPinnedRoot, TrustedManifest } from '../../protocol/trusted-manifest.ts'
import { laterRefusalOf } from './refusal.ts'
import type { TestKey } from './signers.ts'
import { keysOf, roleOf, rootOf, signJson, testKey } from './signers.ts'

// A release head and those of two servers that publish by themselves, side by side.

const site = '0123456789abcdef0123456789abcdef'
const now = 1_800_000_000
const [rootKey, release, fresh, token, uploads, shop] = (await Promise.all([1, 2, 3, 4, 5, 6].map(testKey))) as [
  TestKey,
  TestKey,
  TestKey,
  TestKey,
  TestKey,
  TestKey,
]
const delegates = [
  { ...roleOf([uploads]), prefixes: ['/uploads/'] },
  { ...roleOf([shop]), prefixes: ['/uploads/shop/', '/shop/'] },
]
const signers = [release, uploads, shop]
const parts = new Map<ContentId, Bytes>()
const read = async (id: ContentId): Promise<Bytes> => parts.get(id) ?? new Uint8Array()

function rootBody(fields: Record<string, unknown> = {}): Record<string, unknown> {
  const body = rootOf(site, [rootKey, release, fresh, token], fields)
  const keys = keysOf([rootKey, release, fresh, token, uploads, shop])
  return { ...body, keys, roles: { ...(body['roles'] as object), delegates } }
}

const openRoot = async (): Promise<Root> => openPinnedRoot(await signJson(mediaTypes.root, rootBody(), [rootKey]))

interface MadeHead {
  readonly role: number
  readonly seq: number
  readonly hash: ContentId
  readonly envelope: string
}

/** Each path holds the content that `mark` names, so that a test sees whose row it got. */
async function head(role: number, seq: number, paths: readonly string[], mark = `${role}`): Promise<MadeHead> {
  const id = await contentIdOf(utf8(mark))
  const bin = utf8(JSON.stringify({ rows: paths.toSorted().map((path) => [path, 0, 1, 65_536, id]) }))
  const binId = await contentIdOf(bin)
  parts.set(binId, bin)
  const body = {
    site,
    seq,
    created: now,
    expires: now + 1000,
    previous: null,
    sections: ['/'],
    headerSets: [[]],
    assetCount: paths.length,
    indexDepth: 0,
    index: [[paths.toSorted()[0], binId]],
  }
  const key = signers[role] ?? release
  const hash = await contentIdOf(utf8(JSON.stringify(body)))
  return { role, seq, hash, envelope: await signJson(mediaTypes.head, body, [key]) }
}

const say = (heads: readonly MadeHead[], fields: Record<string, unknown> = {}) =>
  signJson(
    mediaTypes.fresh,
    {
      site,
      root: 1,
      heads: heads.map(({ role, seq, hash }) => [role, seq, hash]),
      issued: now,
      expires: now + 120,
      grace: 0,
      peers: true,
      off: [],
      share: 1,
      minimumSwarm: 2,
      unregister: false,
      revoked: [],
      ...fields,
    },
    [fresh],
  )

async function believe(heads: readonly MadeHead[], root?: Root): Promise<TrustedManifest> {
  const manifest = new TrustedManifest(root ?? (await openRoot()))
  await manifest.acceptFresh(await say(heads), now)
  for (const { role, envelope } of heads) await manifest.acceptHead(envelope, now, role)
  return manifest
}

async function whose(manifest: TrustedManifest, path: string): Promise<string | undefined> {
  const found = await manifest.find(path, read)
  for (const mark of ['0', '1', '2']) if (found?.id === (await contentIdOf(utf8(mark)))) return mark
  return undefined
}

const everything = ['/a', '/shop/a', '/uploads/a', '/uploads/index.html', '/uploads/shop/a']

describe('several heads', () => {
  test('speak each for its own paths, the one with the longest prefix first, whatever they list', async () => {
    const manifest = await believe([
      await head(0, 5, everything),
      await head(1, 9, everything),
      await head(2, 3, everything),
    ])
    const found = await Promise.all(everything.map((path) => whose(manifest, path)))
    expect(found).toEqual(['0', '2', '1', '1', '2'])
    expect(await whose(manifest, '/uploads/')).toBe('1')
    const listed: string[] = []
    for await (const { path } of manifest.assets(read)) listed.push(path)
    expect(listed.toSorted()).toEqual(everything)
  })

  test('leave to the release what a delegate has no head for', async () => {
    const manifest = await believe([await head(0, 5, everything)])
    expect(await Promise.all(everything.map((path) => whose(manifest, path)))).toEqual(['0', '0', '0', '0', '0'])
  })

  test('prove absence: what a delegate took down does not come back from the release', async () => {
    const manifest = await believe([await head(0, 5, everything), await head(1, 9, ['/uploads/b'])])
    expect(await whose(manifest, '/uploads/a')).toBeUndefined()
  })

  test('of a delegate alone say nothing of other paths', async () => {
    const manifest = await believe([await head(1, 9, everything)])
    expect([await whose(manifest, '/a'), await whose(manifest, '/uploads/a')]).toEqual([undefined, '1'])
  })

  test('that cannot be had cost their own paths alone', async () => {
    const manifest = new TrustedManifest(await openRoot())
    const [own, delegated] = [await head(0, 5, everything), await head(1, 9, everything)]
    await manifest.acceptFresh(await say([own, delegated]), now)
    await manifest.acceptHead(own.envelope, now)
    expect(await laterRefusalOf(() => manifest.acceptHead(own.envelope, now, 1))).toBe('untrusted')
    expect([manifest.isCurrentAt('/a', now), manifest.isCurrentAt('/uploads/a', now)]).toEqual([true, false])
    expect([await whose(manifest, '/a'), await whose(manifest, '/uploads/a')]).toEqual(['0', undefined])
    expect([manifest.mayUsePeers(now), manifest.isCurrent]).toEqual([true, false])
  })
})

describe('a stolen delegate key', () => {
  test('signs no release head, also where fresh names it as one', async () => {
    const manifest = new TrustedManifest(await openRoot())
    const forged = { ...(await head(1, 5, everything)), role: 0 }
    await manifest.acceptFresh(await say([forged]), now)
    expect(await laterRefusalOf(() => manifest.acceptHead(forged.envelope, now))).toBe('untrusted')
  })

  test('with the highest number of all neither blocks the next release nor goes below itself', async () => {
    const manifest = await believe([await head(0, 5, everything), await head(1, 9, everything)])
    const highest = await head(1, Number.MAX_SAFE_INTEGER, ['/uploads/evil'])
    const next = await head(0, 6, ['/a'])
    expect(await laterRefusalOf(async () => manifest.acceptFresh(await say([next, highest]), now))).toBe('accepted')
    await manifest.acceptHead(next.envelope, now)
    expect(await whose(manifest, '/a')).toBe('0')
  })

  test('is a number like others under the next root', async () => {
    const root = await openRoot()
    const next = await openNextRoot(root, await signJson(mediaTypes.root, rootBody({ version: 2 }), [rootKey]))
    const manifest = new TrustedManifest(next)
    const recovered = [await head(0, 5, everything), await head(1, 10, everything)]
    expect(await laterRefusalOf(async () => manifest.acceptFresh(await say(recovered, { root: 2 }), now))).toBe(
      'accepted',
    )
  })
})

describe('acceptFresh() of several heads', () => {
  const seen = async (): Promise<TrustedManifest> =>
    believe([await head(0, 5, everything), await head(1, 9, everything)])

  test.each<[string, readonly [role: number, seq: number][], string]>([
    [
      'an old release head beside a new one of a delegate (mix and match)',
      [
        [0, 4],
        [1, 10],
      ],
      'rollback',
    ],
    [
      'an old head of a delegate beside a new release head (mix and match)',
      [
        [0, 6],
        [1, 8],
      ],
      'rollback',
    ],
    ['a word that leaves a head out: an old one could follow it', [[0, 6]], 'rollback'],
    [
      'a head below the floor of the root',
      [
        [0, 6],
        [1, 9],
        [2, 1],
      ],
      'rollback',
    ],
    [
      'the next of each',
      [
        [0, 6],
        [1, 10],
        [2, 3],
      ],
      'accepted',
    ],
  ])('judges %s', async (_, named, refusal) => {
    const floored = { ...(await openRoot()), floor: 2 }
    const manifest = await believe([await head(0, 5, everything), await head(1, 9, everything)], floored)
    const heads = await Promise.all(named.map(([role, seq]) => head(role, seq, everything)))
    expect(await laterRefusalOf(async () => manifest.acceptFresh(await say(heads), now))).toBe(refusal)
  })

  test('says of which role there are two heads with one number (equivocation)', async () => {
    const manifest = await seen()
    const other = await head(1, 9, ['/uploads/other'])
    const heads = [await head(0, 5, everything), other]
    const failure = await manifest.acceptFresh(await say(heads), now).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(EquivocationError)
    expect(failure).toMatchObject({ code: 'equivocal', named: { role: 1, seq: 9, hash: other.hash } })
  })
})
