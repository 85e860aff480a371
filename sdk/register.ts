// As a whole: where a site renders on a server, Node finds no named exports in its build and would refuse to start.
import * as workbox from 'workbox-window'
import type { Clock } from './clock.ts'
import { askDisable } from './worker-link.ts'

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
  if (registration.active) await askDisable(registration.active, clock)
  await registration.unregister()
}
