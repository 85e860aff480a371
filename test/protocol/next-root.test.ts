import { describe, expect, test } from 'vitest'
import { rootLimitBytes } from '../../protocol/limits.ts'
import type { Root } from '../../protocol/manifest.ts'
import { mediaTypes } from '../../protocol/manifest.ts'
import { openNextRoot, openPinnedRoot } from '../../protocol/trusted-manifest.ts'
import { laterRefusalOf } from './refusal.ts'
import type { TestKey } from './signers.ts'
import { keysOf, roleOf, rootOf, signJson, testKey } from './signers.ts'

const site = 'a'.repeat(32)
const [one, two, three, four, head, fresh, token, thief] = (await Promise.all(
  [1, 2, 3, 4, 5, 6, 7, 8].map(testKey),
)) as [TestKey, TestKey, TestKey, TestKey, TestKey, TestKey, TestKey, TestKey]

/** The body of a root with these root keys. */
function bodyOf(rootKeys: readonly TestKey[], threshold: number, fields: Record<string, unknown> = {}) {
  const body = rootOf(site, [one, head, fresh, token])
  const roles = { ...(body['roles'] as object), root: roleOf(rootKeys, threshold) }
  return { ...body, keys: keysOf([...rootKeys, head, fresh, token]), roles, ...fields }
}

const sign = (body: unknown, keys: readonly TestKey[], type: string = mediaTypes.root) => signJson(type, body, keys)

/** A root of two of three keys, version 4, floor 10. */
async function ofThree(): Promise<Root> {
  const body = bodyOf([one, two, three], 2, { version: 4, floor: 10 })
  return openPinnedRoot(await sign(body, [one, two]))
}

const next = { version: 5, floor: 10 }

describe('openNextRoot', () => {
  test('follows a root that enough keys of both signed, as one key is replaced', async () => {
    const body = bodyOf([two, three, four], 2, next)
    expect(await openNextRoot(await ofThree(), await sign(body, [two, three]))).toMatchObject({ version: 5 })
    expect(await openNextRoot(await ofThree(), await sign(body, [one, two, four]))).toMatchObject({ version: 5 })
  })

  test('follows one that raises the floor, which takes back a stolen key’s numbers', async () => {
    const body = bodyOf([one, two, three], 2, { ...next, floor: 11 })
    expect(await openNextRoot(await ofThree(), await sign(body, [one, three]))).toMatchObject({ floor: 11 })
  })

  test.each<[string, readonly TestKey[], number, readonly TestKey[]]>([
    ['the new keys alone', [four, thief], 2, [four, thief]],
    ['the old keys alone', [four, thief], 2, [one, two]],
    ['one stolen root key of two', [one, thief], 1, [one, thief]],
    ['one root key twice', [one, two, three], 2, [one, one]],
    ['one root key and the keys of other roles', [one, two, three], 2, [one, head, fresh, token]],
    ['nobody who is asked', [one, two, three], 2, [thief]],
  ])('refuses what was signed by %s', async (_, rootKeys, threshold, signers) => {
    const before = await ofThree()
    const envelope = await sign(bodyOf(rootKeys, threshold, next), signers)
    expect(await laterRefusalOf(() => openNextRoot(before, envelope))).toBe('untrusted')
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['the same version again', { version: 4 }, 'rollback'],
    ['an older version (rollback)', { version: 3 }, 'rollback'],
    ['a version after the next, which would skip those who were to agree', { version: 6 }, 'rollback'],
    ['the largest version there is (fast-forward)', { version: Number.MAX_SAFE_INTEGER }, 'rollback'],
    ['a lower floor (rollback)', { floor: 9 }, 'rollback'],
    ['another site (cross-site replay)', { site: 'b'.repeat(32) }, 'foreign'],
    ['a threshold of 0', { roles: { ...bodyOf([one], 1).roles, root: { keys: [one.id], threshold: 0 } } }, 'malformed'],
  ])('refuses %s, signed by all', async (_, fields, code) => {
    const before = await ofThree()
    const envelope = await sign(bodyOf([one, two, three], 2, { ...next, ...fields }), [one, two, three])
    expect(await laterRefusalOf(() => openNextRoot(before, envelope))).toBe(code)
  })

  test('refuses one key under two names', async () => {
    const body = bodyOf([one, two, three], 2, next)
    const keys = { ...(body.keys as object), ['c'.repeat(64)]: one.publicKey }
    const envelope = await sign({ ...body, keys }, [one, two])
    expect(await laterRefusalOf(() => ofThree().then((before) => openNextRoot(before, envelope)))).toBe('untrusted')
  })

  test('refuses a root in the envelope of another role, and text without end', async () => {
    const before = await ofThree()
    const body = bodyOf([one, two, three], 2, next)
    const head = await sign(body, [one, two], mediaTypes.head)
    expect(await laterRefusalOf(() => openNextRoot(before, head))).toBe('foreign')
    const relabelled = head.replace(mediaTypes.head, mediaTypes.root)
    expect(await laterRefusalOf(() => openNextRoot(before, relabelled))).toBe('untrusted')
    expect(await laterRefusalOf(() => openNextRoot(before, ' '.repeat(rootLimitBytes * 2)))).toBe('oversized')
  })

  test('leads on from an expired root: who comes back after a year must not be lost', async () => {
    const before = await openPinnedRoot(await sign(bodyOf([one], 1, { expires: 1_600_000_001 }), [one]))
    const envelope = await sign(bodyOf([two], 1, { version: 2 }), [one, two])
    expect(await openNextRoot(before, envelope)).toMatchObject({ version: 2 })
  })
})
