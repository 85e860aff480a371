import { describe, expect, test } from 'vitest'
import type { OriginSourceOptions } from '../../sw/origin-source.ts'
import { OriginPace } from '../../sw/origin-pace.ts'
import { OriginSource } from '../../sw/origin-source.ts'
import type { Chunk } from '../../sw/verify.ts'
import { rest, until } from '../fakes/clock.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { makeAsset } from './made-asset.ts'

const chunkSize = 65_536
const { asset, content } = await makeAsset('/a', contentOf(10 * chunkSize - 5))

/** A server that gives each body piece by piece, and tells how much was taken of it. */
class Server {
  readonly ranges: (string | undefined)[] = []
  readonly taken: number[] = []
  readonly aborted: boolean[] = []
  answer: (start: number, end: number) => Response | undefined = () => undefined

  readonly fetch: OriginSourceOptions['fetch'] = (headers, signal) => {
    const range = headers['range']
    const at = this.ranges.push(range) - 1
    this.taken[at] = 0
    const [start = 0, last = content.length - 1] = (range?.slice(6).split('-') ?? []).map(Number)
    signal.addEventListener('abort', () => (this.aborted[at] = true))
    const special = this.answer(start, last + 1)
    if (special) return Promise.resolve(special)
    let position = start
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          if (signal.aborted) return controller.error(signal.reason)
          const piece = content.slice(position, Math.min(position + 50_000, last + 1))
          position += piece.length
          this.taken[at] = position - start
          controller.enqueue(piece)
          if (position > last) controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    const contentRange = { 'content-range': `bytes ${start}-${last}/${content.length}` }
    return Promise.resolve(new Response(body, range ? { status: 206, headers: contentRange } : {}))
  }
}

function chunkAt(index: number): Chunk {
  const offset = index * chunkSize
  return { index, offset, length: Math.min(chunkSize, content.length - offset), digest: new Uint8Array(32) }
}

function open(runEnd: OriginSourceOptions['runEnd'] = () => 10) {
  const server = new Server()
  const controller = new AbortController()
  const seen = { changes: 0 }
  const onChanged = (): void => void (seen.changes += 1)
  const source = new OriginSource(
    { asset, pace: new OriginPace(() => 0), runEnd, onChanged, fetch: server.fetch },
    controller.signal,
  )
  const read = async (index: number) => textOf((await source.read(chunkAt(index), controller.signal))?.bytes)
  return { source, server, controller, seen, read }
}

/** Long arrays are compared number by number, texts at once. */
const textOf = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('latin1')
const expected = (index: number) => textOf(content.slice(index * chunkSize, (index + 1) * chunkSize))

describe('OriginSource', () => {
  test('brings neighbouring chunks with one request, in whatever order they are asked for', async () => {
    const { server, read } = open()
    const chunks = await Promise.all([3, 0, 2, 1].map(read))
    expect(chunks).toEqual([3, 0, 2, 1].map(expected))
    for (let index = 4; index < 10; index += 1) expect(await read(index)).toEqual(expected(index))
    expect(server.ranges).toEqual([undefined])
  })

  test('asks for a range where the whole is not wished', async () => {
    const { server, read } = open()
    await Promise.all([7, 8, 9].map(read))
    expect(server.ranges).toEqual([`bytes=${7 * chunkSize}-${content.length - 1}`])
  })

  test('passed() gives up a request that waits at a chunk that others brought', async () => {
    const { source, server, read } = open()
    await read(0)
    source.passed(0)
    expect(server.aborted).toEqual([])
    source.passed(1)
    expect(server.aborted).toEqual([true])
    expect(await read(2)).toEqual(expected(2))
  })

  test('passed() leaves a request that somebody waits for, until nobody does', async () => {
    const { source, server, read } = open()
    const waiting = read(0)
    source.passed(5)
    expect(await waiting).toEqual(expected(0))
    await until(() => server.aborted.length > 0)
    expect(server.aborted).toEqual([true])
  })

  test('takes no more of a body than was asked for', async () => {
    const { server, read } = open()
    await read(0)
    await rest()
    expect(server.taken[0]).toBeLessThan(2 * chunkSize)
  })

  test('asks just for what others miss, two requests at a time', async () => {
    const { server, read } = open(() => undefined)
    const chunks = await Promise.all([0, 1, 4, 6, 8].map(read))
    expect(chunks).toEqual([0, 1, 4, 6, 8].map(expected))
    expect(server.ranges).toEqual(
      [
        [0, 1],
        [4, 4],
        [6, 6],
        [8, 8],
      ].map(([first = 0, last = 0]) => `bytes=${first * chunkSize}-${(last + 1) * chunkSize - 1}`),
    )
  })

  test('leaves an idle request for the chunk that is needed', async () => {
    const { server, read } = open()
    await read(0)
    expect(await read(5)).toEqual(expected(5))
    expect(server.aborted[0]).toBe(true)
    expect(server.ranges[1]).toBe(`bytes=${5 * chunkSize}-${content.length - 1}`)
  })

  test('ends its requests when the response ends', async () => {
    const { server, read, controller } = open()
    await read(0)
    controller.abort()
    expect(server.aborted[0]).toBe(true)
    await expect(read(1)).rejects.toThrow('aborted')
  })

  test.each<[string, Response]>([
    ['another start', new Response('x', { status: 206, headers: { 'content-range': `bytes 0-9/${content.length}` } })],
    ['another size', new Response('x', { status: 206, headers: { 'content-range': `bytes ${chunkSize}-9/77` } })],
    ['no range', new Response('x', { status: 206 })],
    ['the whole', new Response('x')],
    ['404', new Response('x', { status: 404 })],
    ['416', new Response('x', { status: 416 })],
  ])('takes %s as an answer to a range for another version of the asset', async (_name, answer) => {
    const { source, server, read, seen } = open()
    server.answer = () => answer
    await expect(read(1)).rejects.toThrow('Cannot read from origin')
    expect([source.state, seen.changes]).toEqual(['changed', 1])
    expect(await read(1), 'it is not asked again').toBeUndefined()
    expect(server.ranges).toHaveLength(1)
  })

  test.each([500, 503, 429])('takes %i for trouble of the server', async (status) => {
    const { source, server, read, seen } = open()
    server.answer = () => new Response('x', { status })
    await expect(read(0)).rejects.toThrow(`it answered ${status}`)
    expect([source.state, seen.changes]).toEqual(['troubled', 0])
    server.answer = () => undefined
    expect(await read(0), 'a later chunk may find it well').toEqual(expected(0))
  })

  test('fails every chunk of a body that breaks off', async () => {
    const { source, server, read } = open()
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(content.slice(0, chunkSize))
      },
      pull: (controller) => controller.error(new TypeError('network error')),
    })
    server.answer = () => new Response(broken)
    const readings = await Promise.allSettled([0, 1, 2].map(read))
    expect(readings.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    await until(() => source.state === 'unreachable')
  })

  test('ends all requests when a chunk was not the manifest’s', async () => {
    const { source, server, controller, read } = open()
    const first = await source.read(chunkAt(0), controller.signal)
    const waiting = read(1)
    first?.refuse()
    await expect(waiting).rejects.toThrow()
    expect([source.state, server.aborted[0]]).toEqual(['changed', true])
  })

  test.each(['and the response passed it', 'and the response stands before it'])(
    'gives the connection of a request that stands idle to the chunk that waits, %s',
    async (way) => {
      const bodies: ReadableStreamDefaultController<Uint8Array>[] = []
      const fetch: OriginSourceOptions['fetch'] = ({ range = 'bytes=0-' }) => {
        const body = new ReadableStream<Uint8Array>({ start: (controller) => void bodies.push(controller) })
        const start = /(\d+)-/.exec(range)?.[1]
        const headers = { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }
        return Promise.resolve(new Response(body, { status: 206, headers }))
      }
      const { signal } = new AbortController()
      const pace = new OriginPace(() => 0)
      const source = new OriginSource({ asset, pace, runEnd: () => 10, onChanged: () => {}, fetch }, signal)
      const reads = new Map<number, unknown>()
      for (const index of [5, 3, 7]) {
        reads.set(index, source.read(chunkAt(index), signal))
        await rest()
      }
      expect(bodies.length, 'two at a time').toBe(2)
      for (const body of bodies.slice(0, 2)) body.enqueue(new Uint8Array(chunkSize))
      await Promise.all([reads.get(3), reads.get(5)])
      if (way === 'and the response passed it') source.passed(6)
      await until(() => bodies.length === 3)
      bodies[2]?.enqueue(new Uint8Array(chunkSize))
      await reads.get(7)
    },
  )

  test('reads over what comes before where the server knows no ranges', async () => {
    const { signal } = new AbortController()
    const fetch = (): Promise<Response> => Promise.resolve(new Response(content.slice()))
    const pace = new OriginPace(() => 0)
    const seen = { changes: 0 }
    const onChanged = (): void => void (seen.changes += 1)
    const source = new OriginSource({ asset, pace, runEnd: () => 10, onChanged, fetch }, signal)
    const [eight, nine] = await Promise.all([8, 9].map((index) => source.read(chunkAt(index), signal)))
    expect([textOf(eight?.bytes), textOf(nine?.bytes)]).toEqual([expected(8), expected(9)])
    expect(seen.changes).toBe(0)
  })
})
