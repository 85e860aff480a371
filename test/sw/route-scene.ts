import { expect } from 'vitest'
import type { ExchangeToWorker, WorkerToExchange } from '../../protocol/bridge.ts'
import { listIndex } from '../../protocol/bridge.ts'
import type { Bytes } from '../../protocol/bytes.ts'
import { isSameBytes } from '../../protocol/bytes.ts'
import type { PeerId } from '../../protocol/ids.ts'
import { FakeExchange } from '../fakes/fake-exchange.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import type { MadeAsset } from './made-asset.ts'
import { chunkBytes, makeAsset } from './made-asset.ts'
import type { MadeSite } from './made-site.ts'
import { makeSite } from './made-site.ts'
import type { MadeWorker } from './made-worker.ts'
import { makeWorker } from './made-worker.ts'

export const KIB = 1024
export const peer = 'b'.repeat(32) as PeerId
export const image = await makeAsset('/image.jpg', contentOf(400 * KIB + 17))
export const icon = await makeAsset('/icon.png', contentOf(3000, 2))
const empty = await makeAsset('/empty.css', new Uint8Array(0))
export const film = await makeAsset('/film.mp4', contentOf(9 * 1024 * KIB, 3))
export const all = [image, icon, empty, film]

export async function liveSite(): Promise<MadeSite> {
  const site = await makeSite()
  await site.deploy(all)
  return site
}

export async function bodyOf(response: Response): Promise<Bytes> {
  return new Uint8Array(await response.arrayBuffer())
}

export async function expectBody(response: Response, { content }: MadeAsset, status = 200): Promise<void> {
  expect(response.status).toBe(status)
  expect(isSameBytes(await bodyOf(response), content), 'the body is the content').toBe(true)
}

/** The honest answer of a peer that holds an asset. */
export function give({ asset, content, list }: MadeAsset, message: WorkerToExchange): ExchangeToWorker | undefined {
  const { type } = message
  if (type === 'find') return { type: 'found', request: message.request, holders: message.asset === asset.id ? 1 : 0 }
  if (type !== 'read') return undefined
  const bytes = message.index === listIndex ? list.slice() : chunkBytes(content, asset.chunkSize, message.index)
  return { type: 'chunk', request: message.request, peer, bytes: bytes.buffer }
}

export function linked(worker: MadeWorker, script: FakeExchange['script']): FakeExchange {
  const exchange = new FakeExchange(script)
  worker.bridge.link(exchange, 'page')
  return exchange
}

/** A second visit: the manifest is known, nothing is stored. */
export async function readyWorker(site: MadeSite): Promise<MadeWorker> {
  const worker = makeWorker(site)
  await worker.manifests.onNavigation()
  return worker
}
