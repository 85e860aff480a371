import { chmod, copyFile, cp, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { keygenCommand } from '../../origin/command-keygen.ts'
import { keysCommand } from '../../origin/command-keys.ts'
import { publishCommand } from '../../origin/command-publish.ts'
import { readKeys } from '../../origin/keys.ts'
import { KeysWatch, readNextKeys } from '../../origin/keys-watch.ts'
import { runCli } from '../../origin/run-cli.ts'
import { serveOrigin } from '../../origin/serve.ts'
import type { Fresh } from '../../protocol/manifest.ts'
import { openPass, passTrustOf } from '../../protocol/pass.ts'
import { keysAgainMs } from '../../protocol/limits.ts'
import { parseFromTracker } from '../../protocol/tracker-wire.ts'
import { Manifests } from '../../sw/manifests.ts'
import { Origin } from '../../sw/origin-fetch.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import type { SiteFixture } from './site-fixture.ts'
import { joinOf, makeSite, testScripts } from './site-fixture.ts'

const patience = { timeout: 20_000 }
let site: SiteFixture
let folder = ''

beforeEach(async () => {
  site = await makeSite({ 'a.txt': 'a' })
  folder = join(site.state, 'keys')
})
afterEach(() => site.close())

async function nearhand(...args: string[]): Promise<void> {
  const errors: string[] = []
  const io = { stdout: { write() {} }, stderr: { write: (text: string) => errors.push(text) } }
  const commands = [keysCommand, keygenCommand, publishCommand]
  const code = await runCli(args, commands, '', { ...io, cwd: site.state, signal: new AbortController().signal })
  expect([code, errors.filter((line) => line.startsWith('Cannot'))]).toEqual([0, []])
}

const keys = (...args: string[]) => nearhand('keys', ...args, '--keys', folder)
const freshIn = (envelope: string): Fresh => JSON.parse(Buffer.from(JSON.parse(envelope).payload, 'base64').toString())

async function serve(options: { keys?: string } = {}) {
  const fixed = { folder: site.folder, state: site.state, scripts: testScripts, stun: false, lan: true } as const
  const log = (line: string) => void site.log.push(line)
  const served = await serveOrigin({ ...fixed, port: 0, host: 'localhost', log, ...options })
  onTestFinished(() => served.close())
  return {
    ...served,
    fresh: async () => freshIn(await (await fetch(`${served.url}.well-known/nearhand/fresh.json`)).text()),
  }
}

/** The worker of a visitor who has been here before. */
async function visit(url: string, root: string): Promise<Manifests> {
  const disk = new MemoryDisk()
  const origin = new Origin(fetch, { origin: new URL(url).origin, base: '/' }, Date.now)
  const manifests = new Manifests({
    root,
    origin,
    readPart: (id) => origin.readPart(id),
    cache: disk.partCache,
    state: disk.state,
    now: Date.now,
    random: () => 0.5,
    onRule: () => {},
    onUnregister: () => {},
    onRevoked: () => {},
    report: () => {},
  })
  await manifests.onNavigation()
  expect(manifests.isValid).toBe(true)
  return manifests
}

/** Joins, and hears what the tracker pushes. */
async function listen(url: string, origin: Parameters<typeof joinOf>[0]): Promise<{ readonly pushed: string[] }> {
  const { pass, swarms } = await joinOf(origin)
  const socket = new WebSocket(`${url.replace('http', 'ws')}.well-known/nearhand/tracker`, {
    headers: { origin: url.slice(0, -1) },
  })
  onTestFinished(() => socket.terminate())
  const pushed: string[] = []
  socket.on('message', (payload: Buffer) => {
    const message = parseFromTracker(payload.toString())
    if (message.type === 'fresh') pushed.push(message.envelope)
    if (message.type === 'welcome') {
      socket.send(JSON.stringify({ type: 'join', version: 1, swarms: swarms.map(({ swarm }) => swarm), pass }))
    }
  })
  return { pushed }
}

describe('a server that runs', { timeout: 60_000 }, () => {
  test('goes on with keys that were rotated, tells visitors at once, and they follow', async () => {
    const { url, origin, fresh } = await serve()
    const before = await readKeys(folder)
    const visitor = await visit(url, before.rootEnvelope)
    const { pushed } = await listen(url, origin)
    for (const role of ['fresh', 'head', 'token', 'swarm']) await keys('rotate', role)
    await vi.waitFor(() => expect(pushed.map((envelope) => freshIn(envelope).root)).toContain(4), patience)
    expect(await fresh()).toMatchObject({ root: 4 })
    expect(site.log.join()).toContain('Goes on with the keys of root 4')

    await visitor.take(pushed.at(-1) ?? '')
    expect(visitor.isValid).toBe(true)
    expect(await visitor.find('/a.txt')).toMatchObject({ size: 1 })

    const { root, rootEnvelope } = await readKeys(folder)
    const fingerprint = '0b'.repeat(32)
    const { pass } = await joinOf(origin)
    expect(await openPass(pass, passTrustOf(root), fingerprint, Date.now() / 1000)).toMatchObject({ fingerprint })
    await listen(url, origin)
    const worker = await (await fetch(`${url}nearhand-sw.js`)).text()
    expect(worker).toContain(JSON.parse(rootEnvelope).payload)
  })

  test('tries good keys again, after a while, where it could not take them', async () => {
    await serve()
    const before = await readKeys(folder)
    let now = 0
    let tries = 0
    const change = (): Promise<void> => {
      tries += 1
      return tries === 1 ? Promise.reject(new Error('Cannot write: the disk is full')) : Promise.resolve()
    }
    const watch = new KeysWatch({ folder, current: () => before, change, now: () => now, log: () => {} })
    onTestFinished(() => watch.close())
    await keys('rotate', 'fresh')
    await vi.waitFor(() => expect(tries).toBe(1), patience)
    now += keysAgainMs
    await vi.waitFor(() => expect(tries).toBe(2), patience)
  })

  test('gives the same worker file after a deploy, or each would install it anew', async () => {
    const { url, origin } = await serve()
    const read = async () => (await fetch(`${url}nearhand-sw.js`)).text()
    const before = await read()
    const { headHash } = origin.publication
    await site.write('a.txt', 'another')
    expect((await origin.publish()).headHash).not.toBe(headHash)
    expect(await read()).toBe(before)
  })

  test('stays with its keys while those of the folder cannot be used, and says why', async () => {
    const { fresh } = await serve()
    const whole = await readFile(join(folder, 'root.json'), 'utf8')
    await keys('rotate', 'fresh')
    const next = await readFile(join(folder, 'root.json'), 'utf8')
    await writeFile(join(folder, 'root.json'), next.slice(0, 300))
    await vi.waitFor(() => expect(site.log.join()).toContain('the keys stay as they were'), patience)
    expect(await fresh()).toMatchObject({ root: 1 })
    expect(site.log.filter((line) => line.includes('stay as they were'))).toHaveLength(1)
    await writeFile(join(folder, 'root.json'), whole)
    await vi.waitFor(() => expect(site.log.join()).toContain('does not name this key'), patience)
    await writeFile(join(folder, 'root.json'), next)
    await vi.waitFor(async () => expect(await fresh()).toMatchObject({ root: 2 }), patience)
  })

  test('without the release key tells whoever joins what holds, and waits for what the new key signs', async () => {
    const ci = join(site.state, 'ci')
    await nearhand('keygen', '--keys', ci)
    const publish = () => nearhand('publish', site.folder, '--keys', ci, '--state', join(site.state, 'ci-state'))
    await publish()
    await mkdir(folder)
    const carry = async (...names: string[]): Promise<void> => {
      for (const name of names) await copyFile(join(ci, name), join(folder, name))
      await cp(join(ci, 'roots'), join(folder, 'roots'), { recursive: true }).catch(() => undefined)
    }
    await carry('root.json', 'fresh.key', 'token.key', 'swarm.secret')
    const { url, origin, fresh } = await serve()
    expect(await fresh()).toMatchObject({ root: 1 })
    const { pushed } = await listen(url, origin)
    await vi.waitFor(() => expect(pushed.map(freshIn)).toMatchObject([{ root: 1 }]), patience)
    await nearhand('keys', 'rotate', 'head', '--keys', ci)
    await carry('root.json')
    await vi.waitFor(() => expect(site.log.join()).toContain('Cannot use root 2 yet'), patience)
    expect(await fresh()).toMatchObject({ root: 1 })
    await publish()
    await origin.publish()
    expect(await fresh()).toMatchObject({
      root: 2,
      heads: [[0, origin.publication.head.seq, origin.publication.headHash]],
    })
    await vi.waitFor(() => expect(pushed.map(freshIn)).toMatchObject([{ root: 1 }, { root: 2 }]), patience)
  })
})

describe('readNextKeys() refuses', () => {
  beforeEach(() => nearhand('keygen', '--keys', folder))

  test.each<[string, string, () => Promise<unknown>]>([
    ['a key that others may read', 'others may read it', () => chmod(join(folder, 'fresh.key'), 0o640)],
    ['half of a key', 'not a PKCS#8 key', () => truncate(join(folder, 'token.key'), 40)],
    ['a key that is gone', 'fresh.key is gone', () => rm(join(folder, 'fresh.key'))],
    ['no root', 'no root.json', () => rm(join(folder, 'root.json'))],
    [
      'roots with a gap',
      'roots/ lacks',
      async () => {
        await keys('renew')
        await keys('renew')
        await rm(join(folder, 'roots/2.json'))
      },
    ],
    [
      'another site',
      'of another site',
      async () => {
        await rm(folder, { recursive: true })
        await nearhand('keygen', '--keys', folder)
      },
    ],
  ])('%s', async (_, reason, spoil) => {
    const before = await readKeys(folder)
    await spoil()
    await expect(readNextKeys(folder, before)).rejects.toThrow(reason)
  })

  test('an older root', async () => {
    const whole = await readFile(join(folder, 'root.json'))
    await keys('renew')
    const before = await readKeys(folder)
    await writeFile(join(folder, 'root.json'), whole)
    await expect(readNextKeys(folder, before)).rejects.toThrow('went back from version 2 to 1')
  })

  test('another root of the same number', async () => {
    await cp(folder, join(site.state, 'fork'), { recursive: true })
    await keys('renew')
    await nearhand('keys', 'renew', '--life', '100d', '--keys', join(site.state, 'fork'))
    const before = await readKeys(folder)
    await expect(readNextKeys(join(site.state, 'fork'), before)).rejects.toThrow('root 2 does not follow the root 2')
  })
})
