import { describe, expect, test } from 'vitest'
import { utf8 } from '../../protocol/bytes.ts'
import { contentIdOf } from '../../protocol/hash.ts'
import type { Root } from '../../protocol/manifest.ts'
import { mediaTypes } from '../../protocol/manifest.ts'
import { openPass, passTrustOf } from '../../protocol/pass.ts'
import { openNextRoot, openPinnedRoot, TrustedManifest } from '../../protocol/trusted-manifest.ts'
import { claimsOf, tokenOf } from './passes.ts'
import { laterRefusalOf } from './refusal.ts'
import type { TestKey } from './signers.ts'
import { keysOf, roleOf, rootOf, signJson, testKey } from './signers.ts'

// Each key of a site signs each kind of object. Only what is of its own role may be believed.

const site = '0123456789abcdef0123456789abcdef'
const now = 1_800_000_000
const fingerprint = '0'.repeat(64)
const [root, head, fresh, token, delegate, live] = (await Promise.all([1, 2, 3, 4, 5, 6].map(testKey))) as [
  TestKey,
  TestKey,
  TestKey,
  TestKey,
  TestKey,
  TestKey,
]
const keys = { root, head, fresh, token, delegate, live }
type KeyName = keyof typeof keys

async function trustedRoot(): Promise<Root> {
  const body = rootOf(site, [root, head, fresh, token])
  const roles = {
    ...(body['roles'] as object),
    delegates: [{ ...roleOf([delegate]), prefixes: ['/blog/'] }],
    live: [{ ...roleOf([live]), prefixes: ['/live/'] }],
  }
  return openPinnedRoot(await signJson(mediaTypes.root, { ...body, keys: keysOf(Object.values(keys)), roles }, [root]))
}

const headBody = {
  site,
  seq: 1,
  created: now,
  expires: now + 1000,
  previous: null,
  sections: ['/'],
  headerSets: [[]],
  assetCount: 0,
  indexDepth: 0,
  index: [],
}
const freshBody = {
  site,
  root: 1,
  heads: [[0, 1, await contentIdOf(utf8(JSON.stringify(headBody)))]],
  issued: now,
  expires: now + 120,
  grace: 0,
  peers: true,
  off: [],
  share: 1,
  minimumSwarm: 2,
  unregister: false,
  revoked: [],
}

/** What a visitor makes of a head that this key signed, where fresh names it for a role. */
async function headOfRole(role: number, key: TestKey): Promise<unknown> {
  const manifest = new TrustedManifest(await trustedRoot())
  const heads = freshBody.heads.map(([, seq, hash]) => [role, seq, hash])
  await manifest.acceptFresh(await signJson(mediaTypes.fresh, { ...freshBody, heads }, [fresh]), now)
  return manifest.acceptHead(await signJson(mediaTypes.head, headBody, [key]), now, role)
}

const objects: Record<string, (key: TestKey) => Promise<unknown>> = {
  'next root': async (key) => {
    const next = rootOf(site, [key, head, fresh, token], { version: 2 })
    return openNextRoot(await trustedRoot(), await signJson(mediaTypes.root, next, [key]))
  },
  head: (key) => headOfRole(0, key),
  'delegated head': (key) => headOfRole(1, key),
  fresh: async (key) => {
    const manifest = new TrustedManifest(await trustedRoot())
    return manifest.acceptFresh(await signJson(mediaTypes.fresh, freshBody, [key]), now)
  },
  pass: async (key) =>
    openPass(
      await tokenOf(claimsOf(fingerprint, { aud: site }), key),
      passTrustOf(await trustedRoot()),
      fingerprint,
      now,
    ),
}

const believed: Record<KeyName, readonly string[]> = {
  root: ['next root'],
  head: ['head'],
  delegate: ['delegated head'],
  fresh: ['fresh'],
  token: ['pass'],
  live: [],
}

describe.each(Object.keys(keys) as KeyName[])('a stolen %s key', (name) => {
  test.each(Object.keys(objects))('signs a %s that is believed only where that is its role', async (object) => {
    const refusal = await laterRefusalOf(async () => objects[object]?.(keys[name]))
    expect(refusal).toBe(believed[name].includes(object) ? 'accepted' : 'untrusted')
  })
})

test('a stolen fresh key turns peers off or back on, and leads nobody to content that no release key signed', async () => {
  const manifest = new TrustedManifest(await trustedRoot())
  const own = { ...headBody, assetCount: 1 }
  const head = await contentIdOf(utf8(JSON.stringify(own)))
  await manifest.acceptFresh(await signJson(mediaTypes.fresh, { ...freshBody, heads: [[0, 1, head]] }, [fresh]), now)
  const forged = await signJson(mediaTypes.head, own, [fresh, token, live])
  expect(await laterRefusalOf(() => manifest.acceptHead(forged, now))).toBe('untrusted')
  expect(manifest.mayUsePeers(now)).toBe(false)
})

test('a stolen release key leads nobody to its head without the fresh key', async () => {
  const manifest = new TrustedManifest(await trustedRoot())
  const older = await signJson(mediaTypes.fresh, freshBody, [fresh])
  await manifest.acceptFresh(older, now)
  const own = await signJson(mediaTypes.head, { ...headBody, assetCount: 1 }, [head])
  expect(await laterRefusalOf(() => manifest.acceptHead(own, now))).toBe('untrusted')
})
