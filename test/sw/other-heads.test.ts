import { expect, test } from 'vitest'
import { parseContentId } from '../../protocol/ids.ts'
import { mediaTypes } from '../../protocol/manifest.ts'
import { openNextRoot, openPinnedRoot, TrustedManifest } from '../../protocol/trusted-manifest.ts'
import { OtherHeads } from '../../sw/other-heads.ts'
import { Origin } from '../../sw/origin-fetch.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { rootOf, signJson, testKey } from '../protocol/signers.ts'
import { makeAsset } from './made-asset.ts'
import { makeSite, sitePlace } from './made-site.ts'

const asset = await makeAsset('/a.jpg', contentOf(10))

/** A page that was made with the first of two deploys, whose head was read once. */
async function scene() {
  const site = await makeSite()
  await site.deploy([asset])
  const name = [...site.files.keys()].find((file) => file.startsWith('heads/')) ?? ''
  const hash = parseContentId(name.slice('heads/'.length, -'.json'.length))
  if (hash === undefined) throw new Error('Cannot find head')
  const others = new OtherHeads(new Origin(site.fetch, sitePlace, () => site.now))
  const root = await openPinnedRoot(site.root)
  const at = (trusted: TrustedManifest) => others.at('/a.jpg', [hash], trusted, site.seconds)
  expect(await at(new TrustedManifest(root))).toBeDefined()
  return { site, root, at }
}

test('OtherHeads keeps what it read for as long as that holds', async () => {
  const { site, root, at } = await scene()
  const asked = site.seen.length
  expect(await at(new TrustedManifest(root))).toBeDefined()
  expect(site.seen).toHaveLength(asked)
  site.now += 31 * 86_400_000
  expect(await at(new TrustedManifest(root))).toBeUndefined()
})

test('OtherHeads believes nothing more by a key that the root took back (stale key)', async () => {
  const { root, at } = await scene()
  const keys = await Promise.all([testKey(1), testKey(22), testKey(3), testKey(4)])
  const body = rootOf(root.site, keys, { version: 2 })
  const next = await openNextRoot(root, await signJson(mediaTypes.root, body, [keys[0]]))
  await expect(at(new TrustedManifest(next))).rejects.toMatchObject({ code: 'untrusted' })
})
