// As a whole: where a site renders on a server, Node finds no named exports in its build and would refuse to start.
import * as workbox from 'workbox-window'
import type { Clock } from './clock.ts'
import { askWorker } from './worker-link.ts'

/** Registers the service worker, or finds it registered; resolves when one is active. */
export async function registerWorker(url: string, scope: string): Promise<void> {
  // At once: each asset that is asked for before goes past us.
  await new workbox.Workbox(url, { scope }).register({ immediate: true })
  await navigator.serviceWorker.ready
}

/** Takes the service worker of this scope out of the site, store and all. */
export async function removeWorker(container: ServiceWorkerContainer, scopeUrl: string, clock: Clock): Promise<void> {
  const registration = await container.getRegistration(scopeUrl)
  // A worker of the site's own may have another scope around ours.
  if (registration?.scope !== scopeUrl) return
  // It answers everything plainly then and drops its store.
  if (registration.active) await askWorker(registration.active, 'nearhand:disable', clock)
  await registration.unregister()
}

/**
 * Lets the workers of this scope and page answer again: one that was taken out lives on, and still answers plainly,
 * where a page of before uses it. False where one does not say that it will.
 */
export async function reviveWorker(
  container: ServiceWorkerContainer,
  scopeUrl: string,
  clock: Clock,
): Promise<boolean> {
  const registration = await container.getRegistration(scopeUrl)
  const workers = new Set([container.controller, registration?.active])
  const asks = [...workers].map(
    async (worker) => !worker || (await askWorker(worker, 'nearhand:enable', clock)) === true,
  )
  return (await Promise.all(asks)).every(Boolean)
}
