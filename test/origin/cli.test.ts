import { once } from 'node:events'
import { appendFile, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { InstalledCli } from './installed-cli.ts'
import { seededRandom } from './temporary-site.ts'

let installed: InstalledCli
let folder = ''
let next = 0

beforeAll(async () => {
  installed = await InstalledCli.create()
}, 30_000)
afterAll(() => installed.remove())

beforeEach(async () => {
  next += 1
  folder = join(installed.folder, `work-${next}`)
  await mkdir(join(folder, 'site/img'), { recursive: true })
  await writeFile(join(folder, 'site/index.html'), '<h1>Hello</h1>')
  await writeFile(join(folder, 'site/img/a.png'), seededRandom(next)(100_000))
})

function nearhand(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = installed.start(folder, args)
  let [stdout, stderr] = ['', '']
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

describe('nearhand', { timeout: 30_000 }, () => {
  test('publishes a folder, finds it right, and names what is changed later', async () => {
    const published = await nearhand('publish', 'site')
    expect(published).toMatchObject({ code: 0 })
    expect(published.stdout).toContain('Published 2 assets, 100 KB: 2 new or changed')
    expect(published.stdout).toContain('<script src="/nearhand.js" data-consent="ask" async></script>')
    expect(published.stderr).toContain('Back up root.key, site.json and root.json')
    expect((await readdir(join(folder, 'site'))).toSorted()).toEqual([
      '.well-known',
      'img',
      'index.html',
      'nearhand-consent.js',
      'nearhand-peers.js',
      'nearhand-sw.js',
      'nearhand-worker.js',
      'nearhand.js',
    ])
    expect(await nearhand('verify', 'site')).toMatchObject({ code: 0, stderr: '' })
    expect((await nearhand('publish', 'site')).stdout).toContain('Published 2 assets, 100 KB: 0 new or changed')
    await appendFile(join(folder, 'site/index.html'), '!')
    expect(await nearhand('verify', 'site', '--root', '.nearhand/keys/root.json')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('/index.html: longer than the 14 bytes of the manifest\n1 problem:'),
    })
  })

  test('tells how to run the tracker of a static host, by a command that works', async () => {
    const { stdout } = await nearhand('publish', 'site', '--tracker', 'https://t.example', '--section', '/live/')
    const command = /nearhand (serve empty .*)/.exec(stdout)?.[1]?.replace('<the site>', 'www.example.org') ?? ''
    expect(command).toContain('--section /live/')
    await mkdir(join(folder, 'keys'))
    for (const name of ['root.json', 'token.key', 'swarm.secret']) {
      await copyFile(join(folder, '.nearhand/keys', name), join(folder, 'keys', name))
    }
    await mkdir(join(folder, 'empty'))
    const child = installed.start(folder, [...command.split(' '), '--port', '0', '--no-stun', '--state', 'other'])
    onTestFinished(() => void child.kill('SIGKILL'))
    const url = await new Promise<string>((resolve, reject) => {
      let said = ''
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        said += text
        const found = /http:\S+/.exec(said)?.[0]
        if (found !== undefined) resolve(found)
      })
      child.on('exit', () => reject(new Error('Cannot serve')))
    })
    const headers = { origin: 'https://www.example.org' }
    const answer = await fetch(`${url}.well-known/nearhand/join`, {
      method: 'POST',
      body: `{"fingerprint":"${'0b'.repeat(32)}"}`,
      headers,
    })
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://www.example.org')
    expect(await answer.json()).toMatchObject({ lan: false, swarms: [{ section: '/' }, { section: '/live/' }] })
    expect((await fetch(`${url}.well-known/nearhand/fresh.json`)).status).toBe(404)
  })

  test('publishes some hundred files by its threads', async () => {
    for (let at = 0; at < 300; at += 1) {
      await writeFile(join(folder, `site/img/${at}.bin`), seededRandom(at)(at % 10 === 0 ? 200_000 : 5_000))
    }
    expect((await nearhand('publish', 'site')).stdout).toContain('Published 302 assets')
    expect(await nearhand('verify', 'site')).toMatchObject({ code: 0 })
  })

  test('puts base, tracker and the names of the scripts into the tag and the worker', async () => {
    const names = ['--tag-file', 'a.js', '--worker-file', 'b.js', '--service-worker-file', 'c.js']
    const { stdout, code } = await nearhand(
      'init',
      'site',
      '--base',
      '/docs/',
      '--tracker',
      'https://t.example',
      ...names,
    )
    expect(code).toBe(0)
    expect(stdout).toContain(
      '<script src="/docs/a.js" data-consent="ask" data-worker="b.js" data-service-worker="c.js" ' +
        'data-tracker="https://t.example/" async></script>',
    )
    expect(await readFile(join(folder, 'site/c.js'), 'utf8')).toContain('"base":"/docs/"')
    expect((await nearhand('init', 'site')).stdout).toContain('Using the keys of site')
  })

  test('ends in peace where nobody reads what it prints', async () => {
    const child = installed.start(folder, ['verify', 'none'])
    child.stdout?.destroy()
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
    const [code] = (await once(child, 'close')) as [number]
    expect([code, said.includes('EPIPE')]).toEqual([1, false])
  })

  test('tells its version, its use, and what went wrong by the exit code', async () => {
    expect((await nearhand('--version')).stdout).toBe('1.2.3\n')
    expect((await nearhand('serve', '--help')).stdout).toContain('Usage: nearhand serve')
    expect(await nearhand('publish', 'none')).toMatchObject({ code: 2, stdout: '' })
    expect(await nearhand('verify', 'none')).toMatchObject({ code: 1, stderr: '' })
  })
})
