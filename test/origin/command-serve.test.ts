import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { UsageError } from '../../origin/command.ts'
import { serveCommand, stunHostOf } from '../../origin/command-serve.ts'
import { InstalledCli } from './installed-cli.ts'

const joinRequest = JSON.stringify({ fingerprint: '0b'.repeat(32) })

const io = {
  stdout: { write: () => true },
  stderr: { write: () => true },
  cwd: '/nowhere',
  signal: AbortSignal.abort(),
}

test.each([
  [[], 'which folder'],
  [['site', 'other'], 'one folder'],
  [['site', '--port', 'http'], '--port http'],
  [['site', '--port', '65536'], '--port 65536'],
  [['site', '--port', '-1'], '--port'],
  [['site', '--stun-port', '1e3'], '--stun-port 1e3'],
  [['site', '--cache', 'long'], '--cache long'],
  [['site', '--lan', '--no-lan'], 'contradict'],
  [['site', '--consent', 'granted'], 'without --inject'],
  [['site', '--inject', '--consent', 'yes'], '--consent yes'],
  [['site', '--ice', 'example.org'], '--ice example.org'],
  [['site', '--ice', 'turn:user@example.org'], 'createOrigin'],
  [['site', '--base', 'docs'], 'base "docs"'],
  [['site', '--section', '/live'], 'section "/live"'],
  [['site', '--pattern', 'foo'], 'foo'],
  [['site', '--trust-proxy', 'proxy'], 'trust proxy "proxy"'],
  [['site', '--allow-origin', 'example.org'], 'allow origin "example.org"'],
  [['site', '--announce', 'all'], 'Cannot use --announce all: neither open nor pass'],
  [['site', '--guard', '/members'], 'section "/members"'],
  [['site', '--admit', 'backend'], '--admit backend'],
  [['site', '--ignore-query', '/video/**'], '--ignore-query /video/**'],
  [['site', '--asset-host', 'media.example.com'], '--asset-host media.example.com'],
  [['site', '--asset-host', 'http://media.example.com'], 'hosts.0.host'],
  [['site', '--prot', '80'], 'did you mean --port?'],
])('serveCommand refuses %j', async (args, reason) => {
  const run = serveCommand.run(args, io)
  await expect(run).rejects.toBeInstanceOf(UsageError)
  await expect(run).rejects.toThrow(reason)
})

test.each([
  ['localhost', undefined, '127.0.0.1'],
  ['::1', undefined, '::1'],
  ['0.0.0.0', undefined, undefined],
  ['localhost', ['127.0.0.1'], undefined],
])('stunHostOf() of a site on %s with proxies %j is %s', (host, proxies, expected) => {
  expect(stunHostOf(host, proxies)).toBe(expected)
})

test('serveCommand documents every option that it takes', async () => {
  const listed = new Set([...serveCommand.help.matchAll(/--[a-z][a-z-]*/g)].map(([option]) => option))
  for (const option of listed) {
    // An option that exists wants a value or is fine; one that does not is named as unknown.
    const outcome = await serveCommand.run([option], io).catch((error: Error) => error.message)
    expect(outcome).not.toContain('Unknown option')
  }
  expect(listed.size).toBeGreaterThan(18)
})

describe('nearhand serve', { timeout: 30_000 }, () => {
  let cli: InstalledCli
  let folder = ''

  beforeAll(async () => {
    cli = await InstalledCli.create()
  }, 30_000)
  afterAll(() => cli.remove())

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nearhand-serve-'))
    await mkdir(join(folder, 'site'))
    await writeFile(join(folder, 'site/index.html'), '<!doctype html><p>Hello')
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
  })

  interface Serving {
    readonly child: ChildProcess
    readonly url: string
    readonly said: () => string
  }

  async function serve(...args: string[]): Promise<Serving> {
    const child = cli.start(folder, ['serve', 'site', '--port', '0', '--no-stun', ...args])
    onTestFinished(() => void child.kill('SIGKILL'))
    let said = ''
    child.stderr?.on('data', (text: Buffer) => (said += text.toString()))
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout?.on('data', (text: Buffer) => {
        said += text.toString()
        const found = /http:\S+/.exec(said)?.[0]
        if (found !== undefined && said.includes('Ctrl+C')) resolve(found)
      })
      child.once('exit', () => reject(new Error(`Cannot serve: ${said}`)))
    })
    return { child, url, said: () => said }
  }

  test('makes keys, tells where the site is and how to try it, and ends well by a signal', async () => {
    const { child, url, said } = await serve('--inject')
    expect(said()).toContain('Serving site: 1 assets')
    expect(said()).toContain('Back up root.key')
    expect(said()).toContain('second browser or profile')
    expect(await readdir(join(folder, '.nearhand/keys'))).toContain('root.key')
    expect(await (await fetch(url)).text()).toContain('data-consent="ask"')
    expect(
      await (await fetch(`${url}.well-known/nearhand/join`, { method: 'POST', body: joinRequest })).json(),
    ).toMatchObject({ lan: true })
    child.kill('SIGTERM')
    const [code] = (await once(child, 'exit')) as [number | null]
    expect(code).toBe(0)
  })

  test('publishes what changes, by the options that it was given', async () => {
    const { url } = await serve(
      '--base',
      '/docs/',
      '--section',
      '/docs-live/',
      '--pattern',
      '/**.txt',
      '--cache',
      '60',
      '--no-lan',
    )
    await writeFile(join(folder, 'site/new.txt'), 'new')
    const health = async (): Promise<unknown> => (await fetch(new URL('/healthz', url))).json()
    await expect.poll(health, { timeout: 15_000 }).toMatchObject({ assets: 2 })
    const response = await fetch(`${url}new.txt`)
    expect([response.headers.get('cache-control'), await response.text()]).toEqual(['public, max-age=60', 'new'])
    const joined = await (await fetch(`${url}.well-known/nearhand/join`, { method: 'POST', body: joinRequest })).json()
    expect(joined).toMatchObject({ lan: false, swarms: [{ section: '/' }, { section: '/docs-live/' }] })
    expect(await (await fetch(`${url}nearhand-sw.js`)).text()).toContain('"patterns":["/**.txt"]')
  })

  test('says in one line that its port is taken', async () => {
    const { url } = await serve()
    const { port } = new URL(url)
    await expect(serve('--port', port)).rejects.toThrow(
      `nearhand serve: Cannot listen on localhost port ${port}: another program has the port`,
    )
  })
})
