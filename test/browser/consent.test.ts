import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { openBrowser } from './harness/chromium.ts'
import { useScene } from './harness/scene.ts'
import { sitePage } from './harness/site-page.ts'
import type { Site } from './harness/site.ts'
import { openSite } from './harness/site.ts'
import { openSeeder, openVisitor, Visitor } from './harness/visitor.ts'

const scene = useScene()
const join = '/.well-known/nearhand/join'
const large = '/images/large.png'
const promptOf = (page: Page): Locator => page.getByRole('region', { name: 'Share with other visitors?' })

test('the prompt connects nobody before a yes, given by keyboard alone and remembered', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  const joins = site.count.requests(join)
  const { visitor, sockets } = await openWatched(site, '/ask.html')
  const { page } = visitor
  await promptOf(page).waitFor()
  expect((await visitor.load(large)).sha256).toBe(sha256Of(site.asset(large)))
  expect(await page.evaluate(() => document.activeElement?.tagName), 'it takes no focus').toBe('BODY')
  expect([await madeIn(page), sockets.length, site.count.requests(join)]).toEqual([[], 0, joins])

  const names: unknown[] = []
  for (const _ of ['no', 'yes']) {
    await page.keyboard.press('Tab')
    names.push(await page.evaluate(focusedName))
  }
  expect(names).toEqual(['No, thanks', 'Yes, share'])
  await page.keyboard.press('Enter')
  await promptOf(page).waitFor({ state: 'detached' })
  await visitor.connected()
  expect([(await madeIn(page)).length > 0, sockets.length]).toEqual([true, 1])

  await page.reload()
  await visitor.connected()
  expect(await promptOf(page).count()).toBe(0)
})

test('askConsent() shows the prompt again: a no closes every connection, and the focus goes back', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  const { visitor, sockets } = await openWatched(site, '/ask.html')
  const { page } = visitor
  await promptOf(page).getByRole('button', { name: 'Yes, share' }).click()
  await visitor.connected()
  await page.evaluate(() => {
    const link = document.createElement('button')
    link.id = 'settings'
    link.onclick = () => void nearhand.askConsent().then((word) => (link.title = word))
    document.body.append(link)
    link.focus()
  })
  await page.keyboard.press('Enter')
  await expect.poll(() => page.evaluate(focusedName)).toContain('Share with other visitors?')
  await page.keyboard.press('Escape')
  await promptOf(page).waitFor({ state: 'detached' })
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('settings')
  await expect.poll(() => page.getAttribute('#settings', 'title')).toBe('denied')
  expect(await page.evaluate(connectionStates)).not.toContain('connected')
  await expect.poll(() => sockets.map((socket) => socket.isClosed())).not.toContain(false)

  await page.reload()
  await visitor.untilControlled()
  await page.waitForFunction(() => nearhand.state === 'active')
  expect([await promptOf(page).count(), await madeIn(page)]).toEqual([0, []])
})

test('an answer in one tab closes the prompt of the others', async () => {
  const site = await openSite(scene)
  const one = await openVisitor(scene, site, { path: '/ask.html' })
  const other = new Visitor({ ...one.browser, page: await one.browser.context.newPage() }, site)
  await other.goto('/ask.html')
  await promptOf(other.page).waitFor()
  await promptOf(one.page).getByRole('button', { name: 'No, thanks' }).click()
  await promptOf(other.page).waitFor({ state: 'detached' })
  expect(await other.page.evaluate(() => nearhand.consentState)).toBe('denied')
})

test.each(['Global Privacy Control', 'Save-Data'])(
  'a browser with %s is neither asked nor connected, but by its visitor',
  async (signal) => {
    const site = await openSite(scene)
    await openSeeder(scene, site, [large])
    const { visitor, sockets } = await openWatched(site, '/empty.html')
    const { page } = visitor
    if (signal === 'Save-Data') {
      const session = await visitor.browser.context.newCDPSession(page)
      await session.send('Emulation.setDataSaverOverride', { dataSaverEnabled: true })
    } else await page.addInitScript(askForPrivacy)
    for (const path of ['/ask.html', '/']) {
      await visitor.goto(path)
      await visitor.untilControlled()
      await visitor.untilAnswering()
      expect(await page.evaluate(() => nearhand.consentState)).toBe('unknown')
      expect([await promptOf(page).count(), await madeIn(page), sockets.length]).toEqual([0, [], 0])
    }
    const word = page.evaluate(() => nearhand.askConsent())
    await promptOf(page).getByRole('button', { name: 'Yes, share' }).click()
    expect(await word).toBe('granted')
    await visitor.connected()
  },
)

test('the prompt speaks as the site wishes: by attributes, by slots, in another language', async () => {
  const site = await openSite(scene)
  const { page } = await openBrowser(scene)
  const attributes = 'data-question="Teilen?" data-yes="Klar" data-policy="Mehr" data-policy-url="/policy.html"'
  answerPage(site, '/texts.html', sitePage(`<script src="/nearhand.js" data-consent="ask" ${attributes}></script>`))
  await page.goto(`${site.url}/texts.html`)
  const prompt = page.getByRole('region', { name: 'Teilen?' })
  await prompt.getByRole('button', { name: 'Klar' }).waitFor()
  await prompt.getByRole('button', { name: 'No, thanks' }).waitFor()
  expect(await prompt.getByRole('link', { name: 'Mehr' }).getAttribute('href')).toBe('/policy.html')

  const tag = '<script src="/nearhand.js" data-consent="ask"></script>'
  const placed = '<nearhand-consent hidden><b slot="question">Ça va ?</b></nearhand-consent>'
  answerPage(site, '/placed.html', sitePage(tag).replace('lang="en"', 'lang="fr-CA"').replace('<h1>', `${placed}<h1>`))
  await page.goto(`${site.url}/placed.html`)
  const inPlace = page.getByRole('region', { name: 'Ça va ?' })
  const yes = inPlace.getByRole('button', { name: 'Oui, partager' })
  await yes.waitFor()
  expect(await yes.locator('slot').getAttribute('lang')).toBe('fr')
  expect(await page.locator('nearhand-consent').evaluate((host) => getComputedStyle(host).position)).toBe('static')

  await page.evaluate(() => {
    nearhand.texts = { yes: 'D’accord' }
    void nearhand.askConsent()
  })
  await inPlace.getByRole('button', { name: 'D’accord' }).click()
  await page.locator('nearhand-consent').waitFor({ state: 'hidden' })
  expect(await page.evaluate(() => nearhand.consentState)).toBe('granted')
})

test.each([
  ["script-src 'self'", ''],
  ["script-src 'nonce-abc'", 'nonce="abc"'],
  ["script-src 'nonce-abc' 'strict-dynamic'", 'nonce="abc"'],
])('the prompt looks and works under a strict policy with %s', async (scripts, attribute) => {
  const site = await openSite(scene)
  const { page } = await openBrowser(scene)
  const refused: string[] = []
  page.on('console', (message) => message.type() === 'error' && refused.push(message.text()))
  const policy = `default-src 'none'; style-src 'self'; img-src data:; connect-src 'self'; worker-src 'self'; ${scripts}`
  const tag = `<script ${attribute} src="/nearhand.js" data-consent="ask"></script>`
  answerPage(
    site,
    '/strict.html',
    `<!doctype html><html lang="en"><link rel="icon" href="data:,">${tag}<h1>Strict</h1>`,
    policy,
  )
  await page.goto(`${site.url}/strict.html`)
  await promptOf(page).waitFor()
  expect(await page.locator('nearhand-consent').evaluate((host) => getComputedStyle(host).position)).toBe('fixed')
  expect(refused).toEqual([])
  await promptOf(page).getByRole('button', { name: 'No, thanks' }).click()
  expect(await page.evaluate(() => nearhand.consentState)).toBe('denied')
})

test.each(['light', 'dark'] as const)(
  'the prompt can be seen, hit and understood on a %s phone',
  async (colorScheme) => {
    const site = await openSite(scene)
    const { page } = await openBrowser(scene, { viewport: { width: 320, height: 480 } })
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.goto(`${site.url}/ask.html`)
    const prompt = promptOf(page)
    await prompt.locator('#explanation').waitFor()
    const seen = await page.locator('nearhand-consent').evaluate((host) => {
      const root = host.shadowRoot
      const styleOf = (name: string): CSSStyleDeclaration => getComputedStyle(root?.querySelector(name) ?? host)
      const described = root?.querySelector('section')?.getAttribute('aria-describedby') ?? ''
      return {
        pairs: ['section', '#no', '#yes'].map((name) => [styleOf(name).color, styleOf(name).backgroundColor]),
        looks: ['#no', '#yes'].map((name) => [
          styleOf(name).color,
          styleOf(name).backgroundColor,
          styleOf(name).fontSize,
        ]),
        heights: ['#no', '#yes'].map((name) => root?.querySelector(name)?.getBoundingClientRect().height ?? 0),
        animation: styleOf('section').animationName,
        description: root?.getElementById(described)?.textContent,
        live: root?.querySelector('[aria-live=polite]')?.textContent,
        width: document.documentElement.scrollWidth,
      }
    })
    for (const [text = '', ground = ''] of seen.pairs) expect(contrastOf(text, ground)).toBeGreaterThanOrEqual(4.5)
    expect(luminanceOf(seen.pairs[0]?.[1] ?? '') < 0.5, 'its ground').toBe(colorScheme === 'dark')
    expect(seen.looks[0], 'no answer is pushed').toEqual(seen.looks[1])
    for (const height of seen.heights) expect(height).toBeGreaterThanOrEqual(44)
    expect(seen).toMatchObject({ animation: 'guard', width: 320, description: expect.stringContaining('IP address') })
    expect(seen.live, 'what a screen reader announces').toContain('Share with other visitors?')
  },
)

test('nothing is asked and nothing granted where the prompt’s file is gone', async () => {
  const site = await openSite(scene)
  site.answer('/nearhand-consent.js', () => new Response('gone', { status: 404 }))
  const { page } = await openBrowser(scene)
  const warned = page.waitForEvent('console', (message) => message.text().includes('Nearhand cannot ask'))
  await page.goto(`${site.url}/ask.html`)
  await warned
  expect(await page.evaluate(() => nearhand.askConsent())).toBe('unknown')
  expect(await page.evaluate(() => nearhand.state)).toBe('active')
})

test('data-relay has every connection go through relays alone: without one, no address is told', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  answerPage(site, '/relay.html', sitePage('<script src="/nearhand.js" data-consent="granted" data-relay></script>'))
  const { visitor } = await openWatched(site, '/empty.html')
  const sent: string[] = []
  visitor.page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(String(payload))))
  await visitor.goto('/relay.html')
  await expect.poll(() => sent.some((text) => text.includes('"offer"') || text.includes('"answer"'))).toBe(true)
  expect(new Set(await madeIn(visitor.page))).toEqual(new Set(['undefined', 'relay']))
  // A connection that finds no way is given up after five seconds; until then addresses would be told.
  await expect.poll(() => visitor.page.evaluate(connectionStates), { timeout: 15_000 }).toContain('closed')
  expect(sent.filter((text) => text.includes('candidate:'))).toEqual([])
})

/** A browser in which connections and sockets are watched from the start. */
async function openWatched(site: Site, path: string) {
  const initScript = watchConnections
  const visitor = await openVisitor(scene, site, { path: '/empty.html', isControlled: false, initScript })
  const sockets: { isClosed(): boolean }[] = []
  visitor.page.on('websocket', (socket) => sockets.push(socket))
  await visitor.goto(path)
  return { visitor, sockets }
}

/** In a page: from now on every connection is kept, with its policy. */
function watchConnections(): void {
  const connections: RTCPeerConnection[] = []
  const policies: string[] = []
  Object.assign(globalThis, { connections, policies })
  globalThis.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct(target, args: [RTCConfiguration?]) {
      policies.push(String(args[0]?.iceTransportPolicy))
      const connection: RTCPeerConnection = Reflect.construct(target, args)
      connections.push(connection)
      return connection
    },
  })
}

/** The policies of all connections that the page made. */
function madeIn(page: Page): Promise<string[]> {
  return page.evaluate((): string[] => Reflect.get(globalThis, 'policies'))
}

function connectionStates(): string[] {
  const connections: RTCPeerConnection[] = Reflect.get(globalThis, 'connections')
  return connections.map(({ connectionState }) => connectionState)
}

function focusedName(): string | null | undefined {
  return document.activeElement?.shadowRoot?.activeElement?.textContent
}

function askForPrivacy(): void {
  Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })
}

function answerPage(site: Site, path: string, html: string, policy?: string): void {
  const headers = { 'content-type': 'text/html', ...(policy !== undefined && { 'content-security-policy': policy }) }
  site.answer(path, () => new Response(html, { headers }))
}

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrastOf(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminanceOf(one), luminanceOf(other)].toSorted((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

function luminanceOf(color: string): number {
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map((text) => {
    const value = Number(text) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
