import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { openBrowser } from './harness/chromium.ts'
import type { Scene } from './harness/scene.ts'
import { useScene } from './harness/scene.ts'

const scene = useScene()
const cli = fileURLToPath(new URL('../../dist/npm/origin/cli.js', import.meta.url))
const demo = fileURLToPath(new URL('../../demo/site', import.meta.url))

test('the demo shows a second visitor that its bytes came from the first', async () => {
  const url = await serveDemo(scene)
  const faults: string[] = []
  const first = await visit(url, { width: 1280, height: 900 }, faults)
  await first.click('#fetch-all')
  await untilFetched(first)
  // Again: what the own store gave is no neighbour's merit, and no byte is told twice.
  await first.click('#fetch-all')
  await untilFetched(first)
  expect(await first.textContent('.panel-share strong')).toBe('0 %')
  expect(await first.textContent('#fetch-result')).toMatch(/^17 files, (\S+ MB): \1 own store\.$/)

  const second = await visit(url, { width: 360, height: 740 }, faults)
  await second.evaluate(() => window.nearhand?.connected())
  await second.click('#fetch-all')
  await untilFetched(second)

  const { bytes } = await second.evaluate(() => window.nearhand.stats())
  expect(bytes.peers).toBeGreaterThan(5_000_000)
  expect(await second.locator('.panel-tiles .tile').count()).toBeGreaterThan(50)
  // The page must not be wider than the phone.
  expect(await second.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
  expect(faults).toEqual([])
})

test('the demo switches off for good and on again, on a phone that came by ?nearhand=on', async () => {
  const url = await serveDemo(scene)
  const { page } = await openBrowser(scene, { viewport: { width: 375, height: 740 } })
  await page.goto(`${url}?nearhand=on`)
  await page.waitForURL((address) => address.search === '')
  await page.click('.panel-toggle')
  await page.getByRole('button', { name: 'Switch Nearhand off here' }).click()
  await page.getByRole('button', { name: 'Switch on again' }).waitFor()
  await page.reload()
  await page.click('.panel-toggle')
  await page.getByRole('button', { name: 'Switch on again' }).click()
  await page.waitForFunction(() => nearhand.state === 'active')
  await page.getByRole('button', { name: 'Switch Nearhand off here' }).waitFor()
})

test.each([
  [1280, 900],
  [740, 360],
  [320, 640],
])('the demo’s question covers nothing at %i x %i, and is among the first that Tab reaches', async (width, height) => {
  const url = await serveDemo(scene)
  const { page } = await openBrowser(scene, { viewport: { width, height } })
  await page.goto(url)
  const yes = page.locator('nearhand-consent').getByRole('button', { name: 'Yes, share' })
  await yes.waitFor()
  for (let tabs = 0; tabs < 3; tabs += 1) await page.keyboard.press('Tab')
  expect(await yes.evaluate((button) => button.matches(':focus'))).toBe(true)
  if (width < 1000) await page.click('.panel-toggle')
  const covered = await page.evaluate(() => {
    const consent = document.querySelector('nearhand-consent')
    const covers = (name: string): boolean => {
      const box = document.querySelector(name)?.getBoundingClientRect()
      return !box || document.elementsFromPoint(box.x + 8, box.y + 8)[0]?.closest('nearhand-consent') === consent
    }
    return ['.title', '.title p', '.hero nav', '.panel-share', '.panel-legend'].filter(covers)
  })
  expect(covered).toEqual([])
})

test('the demo says where there is no WebRTC, and does not ask to share', async () => {
  const url = await serveDemo(scene)
  const withoutWebRtc = (): void => void Reflect.deleteProperty(globalThis, 'RTCPeerConnection')
  const { page } = await openBrowser(scene, { initScript: withoutWebRtc, viewport: { width: 1280, height: 900 } })
  await page.goto(url)
  await page.waitForFunction(() => document.querySelector('.panel-why')?.textContent?.includes('no WebRTC'))
  expect(await page.textContent('.panel-state')).toBe('Store only')
  expect(await page.locator('nearhand-consent').isVisible()).toBe(false)
})

test('the demo shows nothing that is dead without JavaScript', async () => {
  const url = await serveDemo(scene)
  const { page, context } = await openBrowser(scene)
  const session = await context.newCDPSession(page)
  await session.send('Emulation.setScriptExecutionDisabled', { value: true })
  await page.goto(url)
  for (const name of ['button', 'input', '.address', 'canvas']) {
    expect(await page.locator(name).filter({ visible: true }).count(), name).toBe(0)
  }
  expect(await page.locator('.grid img').count()).toBe(12)
})

/** The command that `npm start` runs, on a port and with keys of its own. */
async function serveDemo(owner: Scene): Promise<string> {
  const state = await mkdtemp(join(tmpdir(), 'nearhand-demo-'))
  owner.onEnd(() => rm(state, { recursive: true, force: true }))
  const args = ['serve', demo, '--inject', '--lan', '--no-watch', '--state', state, '--port', '0']
  const server = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  owner.onEnd(async () => {
    const ended = once(server, 'exit')
    server.kill('SIGTERM')
    await ended
  })
  let said = ''
  for await (const text of server.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    said += String(text)
    const url = /http:\/\/\S+/.exec(said)?.[0]
    if (url !== undefined) return url
  }
  throw new Error(`Cannot serve the demo: it ended, saying ${said}`)
}

/** Opens the demo, agrees to share as a visitor would, and waits for the worker. */
async function visit(url: string, viewport: { width: number; height: number }, faults: string[]): Promise<Page> {
  const { page } = await openBrowser(scene, { viewport })
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
  await page.goto(url)
  await page.locator('nearhand-consent').getByRole('button', { name: 'Yes, share' }).click()
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
  return page
}

async function untilFetched(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const button = document.querySelector<HTMLButtonElement>('#fetch-all')
    return button !== null && !button.disabled && document.querySelector('#fetch-result')?.textContent !== ''
  })
}
