import type { Page, Response } from 'playwright-core'
import { manifestFolder } from '../../../protocol/manifest.ts'
import { sha256Of } from './assets.ts'

/** Everything that a page was answered, and what it said, with its own origin left out. */
export interface Experience {
  /** By URL: what every answer for it was. */
  readonly answers: ReadonlyMap<string, string>
  /** Errors and console, in an order of their own: what failed first is chance. */
  readonly said: readonly string[]
}

export interface VisitRecord {
  readonly experience: Experience
  /** Body bytes of the site's answers, ours left out. */
  readonly bytes: number
  /** Assets that a service worker answered. */
  readonly answeredPaths: ReadonlySet<string>
}

/** Of an answer, what the page or the browser acts on. */
const headers = [
  'location',
  'content-type',
  'etag',
  'last-modified',
  'cache-control',
  'accept-ranges',
  'content-disposition',
  'content-language',
  'x-content-type-options',
]
const tag = /<script src="\/nearhand\.js"[^>]*><\/script>/
const ownFile = /^\/nearhand[\w-]*\.js$/

/**
 * Records what happens in a page while something is done in it.
 * @param visit is to wait for what it is given before it leaves a page, whose bodies are gone then
 */
export async function recordVisit(
  page: Page,
  url: string,
  visit: (settled: () => Promise<void>) => Promise<void>,
): Promise<VisitRecord> {
  const answers: Promise<Answer>[] = []
  const said: string[] = []
  page.on('response', (response) => {
    // A 304 is between the browser and the origin: the page sees what the browser's cache has.
    if (!isOfSite(response.url(), url) || isIcon(response.url()) || response.status() === 304) return
    const answer = answerOf(response)
    answer.catch(() => {}) // told to who waits for all
    answers.push(answer)
  })
  page.on('requestfailed', (request) => {
    if (isOurs(request.url(), url) || isIcon(request.url())) return
    said.push(`failed: ${request.url()} ${request.failure()?.errorText}`)
  })
  page.on('pageerror', (error) => said.push(`error: ${error.message}`))
  page.on('console', (message) => said.push(`${message.type()}: ${message.text()}`))
  await visit(async () => void (await Promise.all(answers)))
  await page.waitForLoadState('networkidle')
  const all = await Promise.all(answers)
  // What is asked for twice is answered alike, or it shows.
  const texts = new Map<string, Set<string>>()
  for (const { path, text } of all) texts.set(path, (texts.get(path) ?? new Set()).add(text))
  return {
    experience: {
      answers: new Map([...texts].map(([path, different]) => [path, [...different].join(' | ')])),
      said: said.map((line) => line.replaceAll(url, '')).toSorted(),
    },
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    answeredPaths: new Set(all.filter(({ isFromWorker }) => isFromWorker).map(({ path }) => path)),
  }
}

interface Answer {
  readonly path: string
  readonly text: string
  readonly bytes: number
  readonly isFromWorker: boolean
}

async function answerOf(response: Response): Promise<Answer> {
  const body = await bodyOf(response)
  const text = await describe(response, body)
  return {
    path: pathOf(response),
    text,
    bytes: body.length,
    isFromWorker: response.fromServiceWorker() && !isDocument(response),
  }
}

function pathOf(response: Response): string {
  return new URL(response.url()).pathname
}

function isOfSite(address: string, url: string): boolean {
  return address.startsWith(url) && !isOurs(address, url)
}

/** The browser asks for it by itself, and gives it up where the page is left: whether it is there by then is chance. */
function isIcon(address: string): boolean {
  return /\/favicon[^/]*$/.test(address)
}

function isOurs(address: string, url: string): boolean {
  const { pathname } = new URL(address)
  return address.startsWith(url) && (ownFile.test(pathname) || pathname.startsWith(`/${manifestFolder}/`))
}

async function bodyOf(response: Response): Promise<Buffer> {
  const isRedirect = response.status() >= 300 && response.status() < 400
  if (isRedirect) return Buffer.alloc(0)
  const body = await response.body()
  return isDocument(response) ? Buffer.from(body.toString().replace(tag, '')) : body
}

function isDocument(response: Response): boolean {
  return response.request().resourceType() === 'document'
}

async function describe(response: Response, body: Buffer): Promise<string> {
  const all = await response.allHeaders()
  // Our tag makes another page of a page.
  const matter = headers.filter((name) => name !== 'etag' || !isDocument(response))
  const told = matter.map((name) => `${name}: ${valueOf(name, all[name] ?? '')}`)
  return [response.status(), ...told, `${body.length} bytes ${sha256Of(body)}`].join('; ')
}

/** The same bytes in another content coding have another validator (RFC 9110 section 8.8.3.3). */
function valueOf(name: string, value: string): string {
  return name === 'etag' ? value.replace(/-(?:br|gzip)"$/, '"') : value
}
