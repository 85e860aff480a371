import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { keygenCommand } from '../../origin/command-keygen.ts'
import { pauseCommand } from '../../origin/command-pause.ts'
import { publishCommand } from '../../origin/command-publish.ts'
import { switchCommand } from '../../origin/command-switch.ts'
import { takedownCommand } from '../../origin/command-takedown.ts'
import { defaultSwitches } from '../../origin/fresh.ts'
import { readKeys } from '../../origin/keys.ts'
import { runCli } from '../../origin/run-cli.ts'
import { parseSwitches, switchesOf, writeSwitches } from '../../origin/switches.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { Fresh } from '../../protocol/manifest.ts'
import { parseFromTracker } from '../../protocol/tracker-wire.ts'
import { TrustedManifest } from '../../protocol/trusted-manifest.ts'
import { joinOf, makeSite } from './site-fixture.ts'

let folder = ''
const id = 'a'.repeat(64)

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nearhand-switches-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function nearhand(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (said[name] += text) })
  const io = { stdout: output('stdout'), stderr: output('stderr'), cwd: folder, signal: new AbortController().signal }
  const commands = [publishCommand, keygenCommand, takedownCommand, pauseCommand, switchCommand]
  return { code: await runCli(args, commands, '', io), ...said }
}

const written = async () => parseSwitches(await readFile(join(folder, '.nearhand/switches.json'), 'utf8'))

describe('parseSwitches()', () => {
  test('takes what is not said as by default', () => {
    expect(switchesOf(parseSwitches('{}'))).toEqual(defaultSwitches)
    expect(switchesOf(parseSwitches('{"off":["/x/"],"share":0.1}'))).toEqual({
      ...defaultSwitches,
      off: ['/x/'],
      share: 0.1,
    })
  })

  test.each([
    ['no JSON', '{'],
    ['an unknown switch', '{"peer":false}'],
    ['a share above one', '{"share":1.5}'],
    ['a prefix without end', '{"off":["/x"]}'],
    ['a prefix in another spelling', '{"off":["/%7e/"]}'],
    ['a minimum of none', '{"minimumSwarm":0}'],
    ['a grace of a year', '{"grace":31536000}'],
    ['an id that is none', '{"takedowns":[{"id":"a","path":null,"at":1}]}'],
    ['too many takedowns', JSON.stringify({ takedowns: Array(513).fill({ id, path: null, at: 1 }) })],
    [
      'more than a fresh can carry',
      JSON.stringify({ off: Array.from({ length: 64 }, (_, at) => `/${at}${'x'.repeat(1015)}/`) }),
    ],
    ['endless data', ' '.repeat(2_000_000)],
  ])('refuses %s', (_, text) => {
    expect(() => parseSwitches(text)).toThrow(ProtocolError)
  })

  test('of anything at all throws nothing but a ProtocolError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          switchesOf(parseSwitches(text))
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }),
    )
  })
})

describe('the commands', () => {
  beforeEach(async () => {
    await mkdir(join(folder, 'site/img'), { recursive: true })
    await writeFile(join(folder, 'site/img/a.png'), 'first')
    await nearhand('publish', 'site', '--keys', 'k')
  })

  test('takedown takes down what a path holds and held, and undoes it', async () => {
    await writeFile(join(folder, 'site/img/a.png'), 'second')
    await nearhand('publish', 'site', '--keys', 'k')
    const down = await nearhand('takedown', 'https://www.example.org/img/a.png?x')
    expect(down).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('taken down: /img/a.png') })
    expect(down.stdout).toContain('No server runs')
    const { takedowns } = await written()
    expect(takedowns.map(({ path }) => path)).toEqual(['/img/a.png', '/img/a.png'])
    await nearhand('publish', 'site', '--keys', 'k')
    const { root } = await readKeys(join(folder, 'k'))
    const fresh = await new TrustedManifest(root).acceptFresh(
      await readFile(join(folder, 'site/.well-known/nearhand/fresh.json'), 'utf8'),
      Date.now() / 1000,
    )
    expect(fresh.revoked).toEqual(takedowns.map((one) => one.id))
    expect((await nearhand('takedown', '/img/a.png')).stdout).toContain('That is so already')
    expect(await nearhand('takedown', '/img/a.png', '--undo')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Everything is on'),
    })
    expect((await written()).takedowns).toEqual([])
  })

  test('takedown takes an id, and says what it does not know', async () => {
    expect((await nearhand('takedown', id)).stdout).toContain(`content ${id}`)
    expect(await nearhand('takedown', '/a.png')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('do not list it, so nobody shares it; did you mean /img/a.png?'),
    })
    expect(await nearhand('takedown', '/a.png', '--undo')).toMatchObject({ code: 1 })
    expect(await nearhand('takedown', '/a.png', '--state', 'other')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('name the content by its id'),
    })
  })

  test('pause turns peers off and on, for the site and for paths', async () => {
    expect((await nearhand('pause')).stdout).toContain('peers are off for the whole site')
    await nearhand('pause', '--path', '/b/', '--path', '/a/')
    expect(await written()).toMatchObject({ peers: false, off: ['/a/', '/b/'] })
    await nearhand('pause', '--undo')
    await nearhand('pause', '--path', '/a/', '--undo')
    expect(await written()).toMatchObject({ peers: true, off: ['/b/'] })
  })

  test('switch sets the rest, and shows all', async () => {
    await nearhand('switch', '--share', '0.1', '--minimum-swarm', '5', '--grace', '0s', '--unregister')
    expect(await written()).toMatchObject({ share: 0.1, minimumSwarm: 5, grace: 0, unregister: true })
    await nearhand('switch', '--no-unregister')
    const { stdout } = await nearhand('switch')
    for (const line of ['10 % of the visitors', 'swarms below 5', 'grace of 0 seconds']) expect(stdout).toContain(line)
    expect(stdout).not.toContain('unregisters')
  })

  test.each([
    [['takedown'], 'Which path or content id?'],
    [['takedown', '//x'], 'neither a path'],
    [['pause', '/x/'], 'by --path'],
    [['pause', '--path', '/x'], '--path /x'],
    [['switch', '--share', '10%'], '--share 10%'],
    [['switch', '--share', '2'], '--share 2'],
    [['switch', '--minimum-swarm', '0'], '--minimum-swarm 0'],
    [['switch', '--grace', '9d'], 'at most 24h'],
    [['switch', '--unregister', '--no-unregister'], 'contradict'],
  ])('%j ends with 2 and switches nothing', async (args, reason) => {
    expect(await nearhand(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(reason) })
    await expect(written()).rejects.toThrow('ENOENT')
  })

  test('stop at a file that they do not understand, instead of writing over it', async () => {
    await writeFile(join(folder, '.nearhand/switches.json'), '{"off":')
    for (const args of [['pause'], ['switch'], ['publish', 'site', '--keys', 'k']]) {
      expect(await nearhand(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining('switches.json') })
    }
    expect(await readFile(join(folder, '.nearhand/switches.json'), 'utf8')).toBe('{"off":')
  })
})

describe('a running origin', () => {
  test('tells connected visitors at once, and answers 410 until it is undone', async () => {
    const site = await makeSite({ 'a.png': 'secret', 'b.png': 'open' })
    onTestFinished(() => site.close())
    const origin = await site.open()
    const server = serve({ fetch: origin.app.fetch, port: 0, hostname: '127.0.0.1', overrideGlobalObjects: false })
    onTestFinished(() => void server.close())
    origin.attach(server)
    if (!server.listening) await once(server, 'listening')
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const { root } = await readKeys(join(site.state, 'keys'))
    const { pass, swarms } = await joinOf(origin)
    const socket = new WebSocket(`ws://${address}/.well-known/nearhand/tracker`, { origin: `http://${address}` })
    const told: Fresh[] = []
    const manifest = new TrustedManifest(root)
    let notice: (() => void) | undefined
    const take = async (text: string): Promise<void> => {
      const message = parseFromTracker(text)
      if (message.type !== 'fresh') return
      told.push(await manifest.acceptFresh(message.envelope, Date.now() / 1000))
      notice?.()
    }
    socket.on('message', (text: Buffer) => void take(text.toString()))
    const next = () => new Promise<void>((resolve) => (notice = resolve))
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'join', version: 1, swarms: swarms.map(({ swarm }) => swarm), pass }))
    const secret = origin.publication.assets.get('/a.png')
    const content = `/.well-known/nearhand/content/${secret?.id}`
    expect((await origin.app.request(content)).status).toBe(200)

    let waiting = next()
    const takedowns = secret ? [{ id: secret.id, path: '/a.png', at: 1 }] : []
    await writeSwitches(site.state, { ...parseSwitches('{}'), takedowns })
    await waiting
    expect(told.at(-1)?.revoked).toEqual([secret?.id])
    for (const path of [content, '/a.png']) {
      const response = await origin.app.request(path)
      expect([path, response.status, response.headers.get('cache-control')]).toEqual([path, 410, 'no-store'])
    }
    expect((await origin.app.request('/b.png')).status).toBe(200)

    waiting = next()
    await writeSwitches(site.state, { ...parseSwitches('{}'), peers: false })
    await waiting
    expect(told.at(-1)).toMatchObject({ peers: false, revoked: [] })
    expect((await origin.app.request(content)).status).toBe(200)
    expect(manifest.fresh?.issued).toBe(told.at(-1)?.issued)
    socket.terminate()
  })

  test('starts with what was switched before; one that it cannot read turns peers off, and the site goes on', async () => {
    const site = await makeSite({ 'a.png': 'a' })
    onTestFinished(() => site.close())
    await mkdir(site.state)
    await writeFile(join(site.state, 'switches.json'), '{"share":0.5}')
    const first = await site.open()
    const { root } = await readKeys(join(site.state, 'keys'))
    const fresh = async (origin: typeof first) =>
      new TrustedManifest(root).acceptFresh(
        await (await origin.app.request('/.well-known/nearhand/fresh.json')).text(),
        Date.now() / 1000,
      )
    expect(await fresh(first)).toMatchObject({ share: 0.5, peers: true })
    await first.close()
    await writeFile(join(site.state, 'switches.json'), 'share')
    const second = await site.open()
    expect(await fresh(second)).toMatchObject({ peers: false })
    expect((await second.app.request('/a.png')).status).toBe(200)
    expect(site.log.join('\n')).toContain('peers are off until it is mended')
  })
})
