import { describe, expect, test } from 'vitest'
import type { Bytes } from '../../protocol/bytes.ts'
import { utf8 } from '../../protocol/bytes.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import { contentIdOf } from '../../protocol/hash.ts'
import type { ContentId } from '../../protocol/ids.ts'
import { clockSkewSeconds, headLifeLimitSeconds, partLimitBytes } from '../../protocol/limits.ts'
import { mediaTypes } from '../../protocol/manifest.ts'
import { openPinnedRoot, TrustedManifest } from '../../protocol/trusted-manifest.ts'
import type { ReadPart } from '../../protocol/catalogue.ts'
import { readVector } from './read-vector.ts'
import { laterRefusalOf } from './refusal.ts'
import { roleOf, signJson, testKey } from './signers.ts'

const vector = readVector<{
  now: number
  envelopes: { root: string; head: string; fresh: string }
  bodies: { root: string; head: string; fresh: string }
  headHash: ContentId
  parts: Record<string, string>
  assets: { path: string; id: ContentId }[]
}>('manifest')
const { now, envelopes } = vector
const [rootKey, headKey, freshKey] = await Promise.all([testKey(1), testKey(2), testKey(3)])
const otherSite = 'f'.repeat(32)

const read: ReadPart = async (id) => {
  const text = vector.parts[id]
  if (text === undefined) throw new Error(`Cannot test: no part ${id}`)
  return utf8(text)
}

const signFresh = (fields: Record<string, unknown>, key = freshKey) =>
  signJson(mediaTypes.fresh, { ...JSON.parse(vector.bodies.fresh), ...fields }, [key])
const signHead = (fields: Record<string, unknown>, key = headKey) =>
  signJson(mediaTypes.head, { ...JSON.parse(vector.bodies.head), ...fields }, [key])

async function trusted(): Promise<TrustedManifest> {
  return new TrustedManifest(await openPinnedRoot(envelopes.root))
}

async function accepted(head = envelopes.head, fresh = envelopes.fresh): Promise<TrustedManifest> {
  const manifest = await trusted()
  await manifest.acceptFresh(fresh, now)
  await manifest.acceptHead(head, now)
  return manifest
}

/** A head of one's own, and a fresh that names it. */
async function acceptedWith(fields: Record<string, unknown>): Promise<TrustedManifest> {
  const head = await signHead(fields)
  return accepted(head, await signFresh({ heads: [[0, 7, await bodyHash(head)]] }))
}

async function bodyHash(envelope: string): Promise<ContentId> {
  return contentIdOf(new Uint8Array(Buffer.from(JSON.parse(envelope).payload, 'base64')))
}

describe('openPinnedRoot', () => {
  test('opens the root of the vector', async () => {
    expect(await openPinnedRoot(utf8(envelopes.root))).toEqual(JSON.parse(vector.bodies.root))
  })

  test('refuses a root that another key signed', async () => {
    const forged = await signJson(mediaTypes.root, JSON.parse(vector.bodies.root), [headKey])
    expect(await laterRefusalOf(() => openPinnedRoot(forged))).toBe('untrusted')
  })

  // The same key under two names would count twice towards a threshold of two.
  test('refuses a key that is not named by its hash', async () => {
    const root = JSON.parse(vector.bodies.root)
    const name = 'a'.repeat(64)
    root.keys[name] = headKey.publicKey
    const envelope = await signJson(mediaTypes.root, root, [rootKey])
    expect(await laterRefusalOf(() => openPinnedRoot(envelope))).toBe('untrusted')
  })

  test.each(['', '{}', '[]', 'null', '{"payload":1}', '{"payload":"!"}', '{"payload":"bnVsbA=="}'])(
    'refuses %j',
    async (text) => {
      expect(await laterRefusalOf(() => openPinnedRoot(text))).toBe('malformed')
    },
  )

  test('refuses text over its limit before it reads it', async () => {
    expect(await laterRefusalOf(() => openPinnedRoot(' '.repeat(40_000)))).toBe('oversized')
  })
})

describe('acceptFresh', () => {
  test('takes that of the vector', async () => {
    const manifest = await trusted()
    const fresh = JSON.parse(vector.bodies.fresh)
    const heads = [{ role: 0, seq: 7, hash: vector.headHash }]
    expect(await manifest.acceptFresh(envelopes.fresh, now)).toEqual({ ...fresh, heads })
    expect(manifest.fresh).toMatchObject({ heads, issued: 1_700_000_100 })
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['an expired one (freeze)', { expires: now - clockSkewSeconds }, 'expired'],
    ['one issued in the future (fast-forward)', { issued: now + clockSkewSeconds + 1 }, 'expired'],
    ['that of another site', { site: otherSite }, 'foreign'],
    ['one that holds for longer than the root allows (stolen key)', { expires: 1_700_000_701 }, 'foreign'],
  ])('refuses %s', async (_, fields, code) => {
    const manifest = await trusted()
    const fresh = await signFresh(fields)
    expect(await laterRefusalOf(() => manifest.acceptFresh(fresh, now))).toBe(code)
    expect(manifest.fresh).toBeUndefined()
  })

  test('forgives clocks that differ by the skew', async () => {
    const manifest = await trusted()
    await manifest.acceptFresh(await signFresh({ issued: now + clockSkewSeconds }), now)
    await manifest.acceptFresh(
      await signFresh({ issued: now + clockSkewSeconds, expires: now - clockSkewSeconds + 1 }),
      now,
    )
  })

  test('refuses what the head’s or the root’s key signed, and another role’s object', async () => {
    const manifest = await trusted()
    for (const key of [headKey, rootKey]) {
      const fresh = await signFresh({}, key)
      expect(await laterRefusalOf(() => manifest.acceptFresh(fresh, now))).toBe('untrusted')
    }
    expect(await laterRefusalOf(() => manifest.acceptFresh(envelopes.head, now))).toBe('foreign')
    const relabelled = envelopes.head.replace(mediaTypes.head, mediaTypes.fresh)
    expect(await laterRefusalOf(() => manifest.acceptFresh(relabelled, now))).toBe('untrusted')
  })

  test.each([
    ['a lower seq', { heads: [[0, 6, vector.headHash]] }],
    ['an earlier word about the same head', { issued: 1_700_000_099 }],
  ])('refuses %s (rollback)', async (_, fields) => {
    const manifest = await accepted()
    const older = await signFresh(fields)
    expect(await laterRefusalOf(() => manifest.acceptFresh(older, now))).toBe('rollback')
  })

  test('refuses a second head under one seq (equivocation)', async () => {
    const manifest = await accepted()
    for (const issuedBefore of [0, 50]) {
      const issued = 1_700_000_100 - issuedBefore
      const second = await signFresh({ heads: [[0, 7, 'a'.repeat(64)]], issued })
      expect(await laterRefusalOf(() => manifest.acceptFresh(second, now))).toBe('equivocal')
    }
    expect(manifest.isCurrent).toBe(true)
  })

  test('refuses everything once the root itself expired', async () => {
    const manifest = await trusted()
    const late = manifest.root.expires + clockSkewSeconds
    const fresh = await signFresh({ issued: late, expires: late + 600 })
    expect(await laterRefusalOf(() => manifest.acceptFresh(fresh, late))).toBe('expired')
  })

  test('needs as many keys as the role says', async () => {
    const root = JSON.parse(vector.bodies.root)
    root.roles.fresh = roleOf([freshKey, headKey], 2)
    const manifest = new TrustedManifest(await openPinnedRoot(await signJson(mediaTypes.root, root, [rootKey])))
    const body = JSON.parse(vector.bodies.fresh)
    const alone = await signJson(mediaTypes.fresh, body, [freshKey])
    const twice = await signJson(mediaTypes.fresh, body, [freshKey, freshKey])
    const both = await signJson(mediaTypes.fresh, body, [freshKey, headKey])
    expect(await laterRefusalOf(() => manifest.acceptFresh(alone, now))).toBe('untrusted')
    expect(await laterRefusalOf(() => manifest.acceptFresh(twice, now))).toBe('untrusted')
    expect(await laterRefusalOf(() => manifest.acceptFresh(both, now))).toBe('accepted')
  })
})

describe('acceptHead', () => {
  test('takes the head that fresh names', async () => {
    const manifest = await accepted()
    expect(manifest.heads.get(0)?.catalogue.head.seq).toBe(7)
    expect(manifest.heads.get(0)?.hash).toBe(vector.headHash)
    expect(manifest.isCurrent).toBe(true)
  })

  test('refuses a head that no fresh names', async () => {
    const manifest = await trusted()
    expect(await laterRefusalOf(() => manifest.acceptHead(envelopes.head, now))).toBe('untrusted')
  })

  test('refuses another head, however well signed (mix and match)', async () => {
    const manifest = await trusted()
    await manifest.acceptFresh(envelopes.fresh, now)
    const other = await signHead({ assetCount: 5 })
    expect(await laterRefusalOf(() => manifest.acceptHead(other, now))).toBe('untrusted')
    expect(manifest.heads.size).toBe(0)
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['of another site', { site: otherSite }, 'foreign'],
    ['whose seq is not that of fresh', { seq: 8 }, 'untrusted'],
    ['that expired', { expires: now - clockSkewSeconds }, 'expired'],
    ['of years to come (stolen key)', { expires: now + headLifeLimitSeconds + clockSkewSeconds + 1 }, 'foreign'],
  ])('refuses a head %s', async (_, fields, code) => {
    expect(await laterRefusalOf(() => acceptedWith(fields))).toBe(code)
  })

  test('refuses what the fresh key signed', async () => {
    const head = await signHead({}, freshKey)
    const fresh = await signFresh({ heads: [[0, 7, await bodyHash(head)]] })
    expect(await laterRefusalOf(() => accepted(head, fresh))).toBe('untrusted')
  })
})

describe('mayUsePeers', () => {
  test('holds only with a current head, an unexpired fresh, and the switch on', async () => {
    const manifest = await accepted()
    expect(manifest.mayUsePeers(now)).toBe(true)
    expect(manifest.mayUsePeers(1_700_000_700)).toBe(false)
    await manifest.acceptFresh(await signFresh({ heads: [[0, 8, 'a'.repeat(64)]], issued: now }), now)
    expect(manifest.mayUsePeers(now)).toBe(false)
    expect((await accepted(envelopes.head, await signFresh({ peers: false }))).mayUsePeers(now)).toBe(false)
    expect((await trusted()).mayUsePeers(now)).toBe(false)
  })
})

describe('isRevoked', () => {
  test('says so of what the newest fresh revokes', async () => {
    const [asset] = vector.assets
    if (asset === undefined) throw new Error('Cannot test: no asset')
    const manifest = await accepted()
    expect(manifest.isRevoked(asset.id)).toBe(false)
    await manifest.acceptFresh(await signFresh({ issued: now, revoked: [asset.id] }), now)
    expect(manifest.isRevoked(asset.id)).toBe(true)
  })
})

describe('find', () => {
  test.each(vector.assets)('gives the asset at $path', async (asset) => {
    expect(await (await accepted()).find(asset.path, read)).toEqual(asset)
  })

  test('answers a folder by its index.html', async () => {
    expect((await (await accepted()).find('/', read))?.path).toBe('/index.html')
  })

  test.each(['/0', '/a', '/a.txt.', '/b', '/video', '/video/', '/video/a.mp3', '/z', '/A.txt'])(
    'gives nothing at %s, which is not listed',
    async (path) => {
      expect(await (await accepted()).find(path, read)).toBeUndefined()
    },
  )

  test('reads nothing before a head was accepted', async () => {
    const never: ReadPart = () => Promise.reject(new Error('Cannot test: read'))
    expect(await (await trusted()).find('/a.txt', never)).toBeUndefined()
  })

  test('refuses a part that is not what its name says', async () => {
    const manifest = await accepted()
    const lying: ReadPart = async (id) => utf8(`${new TextDecoder().decode(await read(id))} `)
    expect(await laterRefusalOf(() => manifest.find('/a.txt', lying))).toBe('untrusted')
    const endless: ReadPart = async () => new Uint8Array(partLimitBytes + 1)
    expect(await laterRefusalOf(() => manifest.find('/a.txt', endless))).toBe('oversized')
  })

  test('lets the failure of a read rise as it is', async () => {
    const failing: ReadPart = () => Promise.reject(new TypeError('offline'))
    await expect((await accepted()).find('/a.txt', failing)).rejects.toThrow(TypeError)
    await expect((await accepted()).find('/a.txt', failing)).rejects.not.toThrow(ProtocolError)
  })

  test('reads a part once for all that is asked of it, and again where it failed', async () => {
    const manifest = await accepted()
    const asked: ContentId[] = []
    const counting: ReadPart = (id) => {
      asked.push(id)
      return read(id)
    }
    await expect(manifest.find('/a.txt', () => Promise.reject(new Error('gone')))).rejects.toThrow('gone')
    const paths = vector.assets.map(({ path }) => path)
    const found = await Promise.all(paths.map((path) => manifest.find(path, counting)))
    expect(found).toEqual(vector.assets)
    expect(asked.length).toBe(new Set(asked).size)
    await manifest.find('/a.txt', () => Promise.reject(new Error('asked again')))
  })

  test.each([0, 1, 2, 3])('walks an index of depth %d, one part a level', async (depth) => {
    const { manifest, parts, paths } = await builtSite(depth)
    for (const path of paths) {
      const asked: ContentId[] = []
      // One that has not read anything yet.
      const asset = await (
        await builtSite(depth)
      ).manifest.find(path, (id) => {
        asked.push(id)
        return parts(id)
      })
      expect(asset?.path).toBe(path)
      expect(asked).toHaveLength(depth + 1)
    }
    expect(await manifest.find('/0000x', parts)).toBeUndefined()
    expect(await manifest.find('/zzz', parts)).toBeUndefined()
    const all: string[] = []
    for await (const asset of manifest.assets(parts)) all.push(asset.path)
    expect(all).toEqual(paths)
  })

  test('refuses a bin where the depth says a page, and the reverse', async () => {
    const manifest = await acceptedWith({ indexDepth: 0 })
    expect(await laterRefusalOf(() => manifest.find('/a.txt', read))).toBe('malformed')
    const deeper = await acceptedWith({ indexDepth: 2 })
    expect(await laterRefusalOf(() => deeper.find('/a.txt', read))).toBe('malformed')
  })
})

/** A site of 36 paths, three rows a bin, three rows a page. */
async function builtSite(depth: number) {
  const texts = new Map<ContentId, Bytes>()
  const keep = async (rows: unknown[]) => {
    const bytes = utf8(JSON.stringify({ rows }))
    const id = await contentIdOf(bytes)
    texts.set(id, bytes)
    return id
  }
  const paths = Array.from({ length: 36 }, (_, at) => `/${String(at).padStart(4, '0')}`)
  const asset = 'ab'.repeat(32)
  let rows: [string, ContentId][] = []
  for (let at = 0; at < paths.length; at += 3) {
    const three = paths.slice(at, at + 3)
    rows.push([three[0] ?? '', await keep(three.map((path) => [path, 0, 1, 65_536, asset]))])
  }
  for (let level = 0; level < depth; level += 1) {
    const above: typeof rows = []
    for (let at = 0; at < rows.length; at += 3) {
      above.push([rows[at]?.[0] ?? '', await keep(rows.slice(at, at + 3))])
    }
    rows = above
  }
  const manifest = await acceptedWith({ index: rows, indexDepth: depth, assetCount: paths.length })
  const parts: ReadPart = async (id) => texts.get(id) ?? new Uint8Array(0)
  return { manifest, parts, paths }
}
