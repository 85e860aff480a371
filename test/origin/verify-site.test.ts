import { appendFile, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { contentTypeOf } from '../../origin/content-types.ts'
import { keysCommand } from '../../origin/command-keys.ts'
import { signFresh } from '../../origin/fresh.ts'
import { makeKeys, readKeys } from '../../origin/keys.ts'
import type { SiteReader } from '../../origin/site-reader.ts'
import { createFolderReader, createUrlReader } from '../../origin/site-reader.ts'
import type { VerifyOptions } from '../../origin/verify-site.ts'
import { verifySite } from '../../origin/verify-site.ts'
import { composeWorker } from '../../origin/worker-file.ts'
import { signedByDelegate } from './signed-by-delegate.ts'
import { seededRandom, someTime, TemporarySite, withSite } from './temporary-site.ts'

const random = seededRandom(3)
const scriptNames = {
  tag: 'nearhand.js',
  worker: 'nearhand-worker.js',
  prompt: 'nearhand-consent.js',
  peers: 'nearhand-peers.js',
  serviceWorker: 'nearhand-sw.js',
}
const scripts = { tag: 'tag', worker: 'worker', prompt: 'prompt', peers: 'peers', serviceWorker: 'run()' }
const files = { 'index.html': '<p>', 'b/index.html': '<b>', 'a.png': random(70_000), 'b/c.js': 'let c', empty: '' }

/** A published site with its scripts, and `problems` as `verifySite()` finds them in its folder. */
function withPublished(run: (site: TemporarySite) => Promise<void>): Promise<void> {
  return withSite(files, async (site) => {
    await publish(site)
    await run(site)
  })
}

async function publish(site: TemporarySite, base = '/'): Promise<void> {
  await site.write(scriptNames.tag, 'tag')
  await site.write(scriptNames.worker, 'worker')
  await site.write(scriptNames.prompt, 'prompt')
  await site.write(scriptNames.peers, 'peers')
  await site.write(scriptNames.serviceWorker, composeWorker({ rootEnvelope: site.keys.rootEnvelope, base }, 'run()'))
  await site.publish({ exclude: Object.values(scriptNames).map((name) => `/${name}`) })
}

async function findProblems(
  reader: SiteReader | TemporarySite,
  options: Partial<VerifyOptions> = {},
): Promise<string[]> {
  const problems: string[] = []
  const { signal } = new AbortController()
  const report = (path: string, problem: string) => problems.push(`${path}: ${problem}`)
  const source = reader instanceof TemporarySite ? createFolderReader(reader.folder) : reader
  await verifySite(source, { scriptNames, scripts, now: someTime, width: 2, report, signal, ...options })
  return problems.toSorted()
}

const manifest = (name: string) => join('.well-known/nearhand', name)
const onlyIn = async (site: TemporarySite, folder: string) => (await readdir(join(site.out, folder)))[0] ?? ''

async function flipBit(file: string, at: number): Promise<void> {
  const bytes = await readFile(file)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(file, bytes)
}

describe('verifySite() of a folder', () => {
  test('finds nothing wrong with what was published, and counts it', () =>
    withPublished(async (site) => {
      expect(await findProblems(site)).toEqual([])
      const options = {
        scriptNames,
        scripts,
        now: someTime,
        width: 2,
        report: () => {},
        signal: new AbortController().signal,
      }
      expect(await verifySite(createFolderReader(site.folder), options)).toMatchObject({ assets: 5, bytes: 70_011 })
    }))

  test('names an asset with a flipped bit, its chunk, and one that is cut, longer, missing', () =>
    withPublished(async (site) => {
      await flipBit(join(site.folder, 'a.png'), 66_000)
      await truncate(join(site.folder, 'b/c.js'), 3)
      await writeFile(join(site.folder, 'empty'), 'x')
      await rm(join(site.folder, 'index.html'))
      expect(await findProblems(site)).toEqual([
        '/a.png: other bytes in chunk 2 of 2',
        '/b/c.js: 3 bytes instead of 5',
        '/empty: longer than the 0 bytes of the manifest',
        '/index.html: missing',
      ])
    }))

  test.each(['root.json', 'fresh.json'])('names %s where it is changed or gone', (name) =>
    withPublished(async (site) => {
      const file = join(site.out, name)
      await flipBit(file, 100)
      expect((await findProblems(site))[0]).toContain(manifest(name))
      await rm(file)
      expect((await findProblems(site))[0]).toContain(`${manifest(name)}: missing`)
    }),
  )

  test('names the head where it is changed, or an older one in its place', () =>
    withPublished(async (site) => {
      const old = await onlyIn(site, 'heads')
      await flipBit(join(site.out, 'heads', old), 120)
      expect((await findProblems(site))[0]).toContain(manifest(`heads/${old}`))
      await flipBit(join(site.out, 'heads', old), 120)
      await site.write('new', 'new')
      await publish(site)
      const current = (await readdir(join(site.out, 'heads'))).find((name) => name !== old) ?? ''
      await rename(join(site.out, 'heads', old), join(site.out, 'heads', current))
      expect(await findProblems(site)).toEqual([
        expect.stringContaining(`${current}: Cannot accept head: not the one that is named`),
      ])
    }))

  test('names each part that is changed or gone, and the asset whose list it is', () =>
    withPublished(async (site) => {
      for (const part of await readdir(join(site.out, 'parts'))) {
        const file = join(site.out, 'parts', part)
        await flipBit(file, 20)
        const [problem, ...more] = await findProblems(site)
        expect(more).toEqual([])
        expect(problem).toMatch(/^\/(a\.png: its chunk list|\.well-known.*[0-9a-f]{64}): not what its name says$/)
        await rm(file)
        expect((await findProblems(site))[0]).toContain('missing')
        await publish(site)
        expect(await findProblems(site)).toEqual([])
      }
    }))

  test('names what has expired and looks at the rest all the same', () =>
    withPublished(async (site) => {
      await rm(join(site.folder, 'empty'))
      expect(await findProblems(site, { now: someTime + 40 * 86_400 })).toEqual([
        expect.stringMatching(/fresh\.json: Cannot accept fresh: it expired$/),
        expect.stringMatching(/heads\/.*: Cannot accept head: it expired$/),
        '/empty: missing',
      ])
      const muchLater = await findProblems(site, { now: someTime + 400 * 86_400 })
      expect(muchLater.join('\n')).toMatch(/root\.json: expired on 20/)
      expect(muchLater).toContain('/empty: missing')
    }))

  test('names scripts that are missing, no worker file, or of another root', () =>
    withPublished(async (site) => {
      await rm(join(site.folder, scriptNames.tag))
      await site.write(scriptNames.serviceWorker, 'run()')
      expect(await findProblems(site)).toEqual([
        expect.stringContaining('/nearhand-sw.js: not a worker file of Nearhand'),
        '/nearhand.js: missing',
      ])
      const other = await makeKeys(join(site.root, 'other'), { now: someTime, random: seededRandom(9) })
      await publish(site)
      await site.write(scriptNames.serviceWorker, composeWorker({ rootEnvelope: other.rootEnvelope }, 'run()'))
      expect(await findProblems(site)).toEqual(['/nearhand-sw.js: trusts another root than the site shows'])
    }))

  test('names scripts that hold other code, or more', () =>
    withPublished(async (site) => {
      await site.write(scriptNames.tag, 'alert(1)')
      await site.write(scriptNames.worker, '')
      await appendFile(join(site.folder, scriptNames.serviceWorker), '\nalert(1)')
      expect(await findProblems(site)).toEqual([
        expect.stringContaining('/nearhand-sw.js: other code'),
        expect.stringContaining('/nearhand-worker.js: other code'),
        expect.stringContaining('/nearhand.js: other code'),
      ])
    }))

  test('believes the root that it is given, not the site', () =>
    withPublished(async (site) => {
      expect(await findProblems(site, { pinnedRoot: site.keys.rootEnvelope })).toEqual([])
      const other = await makeKeys(join(site.root, 'other'), { now: someTime, random: seededRandom(9) })
      const problems = await findProblems(site, { pinnedRoot: other.rootEnvelope })
      expect(problems.join('\n')).toContain('root.json: not the root that was given')
      expect(problems.join('\n')).toContain('fresh.json: Cannot open envelope: 0 of 1 signatures hold')
    }))

  test('walks from an older root to the newest, and names a step that is missing or forged', () =>
    withPublished(async (site) => {
      const first = site.keys.rootEnvelope
      for (const verb of ['renew', 'rotate']) {
        const io = {
          stdout: { write() {} },
          stderr: { write() {} },
          cwd: site.root,
          signal: new AbortController().signal,
        }
        const args = [verb, ...(verb === 'rotate' ? ['root'] : []), '--keys', join(site.root, 'keys')]
        expect(await keysCommand.run(args, io)).toBe(0)
      }
      const keys = await readKeys(join(site.root, 'keys'))
      await site.publish({ keys, exclude: Object.values(scriptNames).map((name) => `/${name}`) })
      const now = { now: someTime }
      // The worker file still pins the first root.
      expect(await findProblems(site, { ...now, pinnedRoot: first })).toEqual([])
      expect((await findProblems(site, now)).join()).toContain('nearhand-sw.js: trusts another root')
      const worker = composeWorker({ rootEnvelope: keys.rootEnvelope }, 'run()')
      await site.write(scriptNames.serviceWorker, worker)
      expect(await findProblems(site, now)).toEqual([])
      const second = join(site.out, 'roots/2.json')
      const envelope = await readFile(second, 'utf8')
      await writeFile(second, first)
      expect((await findProblems(site, now)).join()).toContain('roots/2.json: Cannot follow root')
      await rm(second)
      expect((await findProblems(site, now)).join()).toContain('roots/2.json: missing')
      expect((await findProblems(site, { ...now, pinnedRoot: first })).join()).toContain('none that follows it')
      await writeFile(second, envelope)
      await writeFile(join(site.out, 'roots/3.json'), envelope)
      expect((await findProblems(site, now)).join()).toContain('roots/3.json: another root than root.json')
    }))

  test('names rows for which the signer of the head may not speak', () =>
    withPublished(async (site) => {
      const io = {
        stdout: { write() {} },
        stderr: { write() {} },
        cwd: site.root,
        signal: new AbortController().signal,
      }
      await keysCommand.run(['add', 'delegate', '--prefix', '/b/', '--keys', join(site.root, 'keys')], io)
      const keys = await readKeys(join(site.root, 'keys'))
      const { heads } = await site.publish({ keys, now: someTime + 1, exclude: ['/empty'] })
      const stolen = await Promise.all(heads.map((head) => signedByDelegate(head, keys)))
      for (const { hash, envelope } of stolen) await writeFile(join(site.out, `heads/${hash}.json`), envelope)
      const fresh = await signFresh(keys, stolen, { now: someTime + 1, seconds: 3600 })
      await writeFile(join(site.out, 'fresh.json'), fresh)
      await site.write(scriptNames.serviceWorker, composeWorker({ rootEnvelope: keys.rootEnvelope }, 'run()'))
      const problems = await findProblems(site)
      expect(problems.join('\n')).toContain('/a.png: listed, but another key speaks for this path')
      expect(problems.join('\n')).not.toContain('/b/index.html')
    }))

  test('survives a site that is nothing but garbage', () =>
    withSite({}, async (site) => {
      expect((await findProblems(site)).length).toBe(6)
      for (const name of ['root.json', 'fresh.json']) await site.write(manifest(name), random(5000))
      expect((await findProblems(site)).length).toBe(6)
      await site.write(manifest('root.json'), new Uint8Array(1_000_000))
      expect((await findProblems(site))[0]).toContain('1000000 bytes')
    }))
})

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A plain static host for the site's folder, with `answers` of its own for some paths. */
async function withHost(
  site: TemporarySite,
  answers: Readonly<Record<string, Answer>>,
  run: (base: URL) => Promise<void>,
): Promise<void> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').replace(/\/$/, '/index.html')
    const answer = answers[path]
    if (answer) return answer(request, response)
    void readFile(join(site.folder, path)).then(
      (bytes) => response.setHeader('content-type', contentTypeOf(path)).end(bytes),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await run(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`))
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

const look = (base: URL, timeoutMs = 10_000) =>
  findProblems(createUrlReader(base, timeoutMs, new AbortController().signal))

describe('verifySite() of a host', () => {
  test('finds nothing wrong with what was published', () =>
    withPublished((site) => withHost(site, {}, async (base) => expect(await look(base)).toEqual([]))))

  test('names errors, redirects, other types, bodies that never end, and silence', () =>
    withPublished((site) =>
      withHost(
        site,
        {
          '/a.png': (_, response) => {
            response.setHeader('content-type', 'image/png')
            const more = () => response.write(Buffer.alloc(65_536), () => response.destroyed || setImmediate(more))
            more()
          },
          '/b/c.js': (_, response) => response.setHeader('content-type', 'text/plain').end('let c'),
          '/b/index.html': (_, response) => response.writeHead(302, { location: '/login' }).end(),
          '/empty': () => {},
          '/index.html': (_, response) => response.writeHead(500).end(),
        },
        async (base) =>
          expect(await look(base, 300)).toEqual([
            '/a.png: other bytes in chunk 1 of 2',
            '/b/c.js: the host says content-type text/plain, peers and store say text/javascript; charset=utf-8',
            '/b/index.html: the host answers 302 to /login',
            '/empty: no answer within 0.3 s',
            '/index.html: the host answers 500',
          ]),
      ),
    ))

  test('takes another name for the type of scripts, and a type without charset', () =>
    withPublished((site) =>
      withHost(
        site,
        { '/b/c.js': (_, response) => response.setHeader('content-type', 'application/javascript').end('let c') },
        async (base) => expect(await look(base)).toEqual([]),
      ),
    ))

  test('names a worker that no browser would start, and one for another folder', () =>
    withPublished(async (site) => {
      const asText: Answer = (_, response) => response.setHeader('content-type', 'text/plain').end('worker')
      await withHost(site, { '/nearhand-worker.js': asText }, async (base) =>
        expect(await look(base)).toEqual([
          '/nearhand-worker.js: content-type text/plain: no browser starts that as a script',
        ]),
      )
      await publish(site, '/docs/')
      await withHost(site, {}, async (base) =>
        expect(await look(base)).toEqual(['/nearhand-sw.js: made for a site at /docs/ instead of /']),
      )
    }))

  test('asks for names with a colon as paths', () =>
    withSite({ 'a:b.png': 'x', 'data:c.png': 'x' }, async (site) => {
      await publish(site)
      await withHost(site, {}, async (base) => expect(await look(base)).toEqual([]))
    }))

  test('says why a host cannot be reached, and leaves no timer behind', () =>
    withPublished((site) =>
      withHost(site, {}, async (base) => {
        const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
        const before = timers()
        const gone = new URL(base)
        gone.port = '1'
        expect((await look(gone)).join()).toMatch(/ECONNREFUSED|bad port/)
        expect(timers()).toBeLessThanOrEqual(before)
      }),
    ))
})
