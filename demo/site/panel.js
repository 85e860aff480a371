// The panel: listens to nearhand, keeps a model, redraws at most once a frame. Without nearhand it says why it is idle.
import { applyTraffic, createModel, situation, totals } from './panel-model.js'
import { button, createView, showAsset, showPeers, showSituation, showTotals } from './panel-view.js'
import { hasWebRtc, whenNearhand } from './ready.js'

const POLL_MS = 2000
const wide = window.matchMedia('(min-width: 1000px)')
const model = createModel()
const view = createView()
const changed = new Set()
let stats
let frame = 0
let isReading = false

document.body.append(view.root)
setOpen(wide.matches && recall() !== 'closed')
view.toggle.addEventListener('click', () => {
  const isOpen = view.toggle.getAttribute('aria-expanded') !== 'true'
  setOpen(isOpen)
  remember(isOpen ? 'open' : 'closed')
})
view.root.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || wide.matches) return
  setOpen(false)
  view.toggle.focus()
})

view.noAssets.textContent = 'No chunk counted yet. What a page loads before the worker controls it is not counted.'
view.noPeers.textContent = 'None yet. Open this address in a second browser or profile to be your own neighbour.'
showTotals(view, totals(model), 0)
const nearhand = await whenNearhand()
if (nearhand) listen()
else showIdle()

function listen() {
  forgetWish()
  nearhand.addEventListener('traffic', (event) => {
    changed.add(applyTraffic(model, event.detail))
    scheduleDraw()
  })
  nearhand.addEventListener('peers', (event) => showPeers(view, event.detail))
  nearhand.addEventListener('state', showState)
  nearhand.addEventListener('consent', showState)
  navigator.serviceWorker?.addEventListener('controllerchange', showState)
  document.addEventListener('visibilitychange', () => {
    void poll()
  })
  showState()
  void poll()
  setInterval(() => {
    void poll()
  }, POLL_MS)
}

async function poll() {
  if (document.hidden || isReading) return
  isReading = true
  try {
    stats = await nearhand.stats()
    showPeers(view, stats.peers)
    showState()
    scheduleDraw()
  } catch {
    // The worker may be restarting; the sums of the events stand in until the next reading.
    stats = undefined
  } finally {
    isReading = false
  }
}

function scheduleDraw() {
  frame ||= requestAnimationFrame(() => {
    frame = 0
    for (const asset of changed) showAsset(view, asset)
    changed.clear()
    showTotals(view, totals(model, stats), stats?.uploadedBytes ?? 0)
  })
}

function showState() {
  const workers = navigator.serviceWorker
  showSituation(
    view,
    situation({
      nearhand,
      isSecure: window.isSecureContext,
      isControlled: Boolean(workers?.controller),
      hasWorkers: Boolean(workers),
      hasWebRtc,
    }),
  )
  showActions()
}

function showActions() {
  const wanted = nearhand.state === 'off' || nearhand.state === 'unsupported' ? nearhand.state : nearhand.consentState
  if (view.actions.dataset.shown === wanted) return
  view.actions.dataset.shown = wanted
  view.actions.replaceChildren()
  if (wanted === 'unsupported') return
  if (wanted === 'off') {
    view.actions.append(button('Switch on again', () => nearhand.enable()))
    return
  }
  const isSharing = wanted === 'granted'
  if (hasWebRtc) view.actions.append(shareButton(isSharing))
  view.actions.append(
    button('Switch Nearhand off here', async () => {
      await nearhand.disable()
      showState()
    }),
  )
}

function shareButton(isSharing) {
  return button(isSharing ? 'Stop sharing' : 'Share with neighbours', () => {
    nearhand.consent(!isSharing)
    showState()
  })
}

// Left in the address, ?nearhand=on would undo a later "off" at each reload.
function forgetWish() {
  const url = new URL(location.href)
  if (!url.searchParams.has('nearhand')) return
  url.searchParams.delete('nearhand')
  history.replaceState(history.state, '', url)
}

function showIdle() {
  showSituation(view, situation({ isSecure: window.isSecureContext, isControlled: false, hasWorkers: true }))
  view.root.classList.add('idle')
  setOpen(false)
}

function setOpen(isOpen) {
  view.toggle.setAttribute('aria-expanded', String(isOpen))
  view.body.hidden = !isOpen
  document.documentElement.dataset.panel = isOpen ? 'open' : 'closed'
}

function remember(choice) {
  try {
    localStorage.setItem('panel', choice)
  } catch {
    // Storage may be forbidden; then the panel opens as its width suggests.
  }
}

function recall() {
  try {
    return localStorage.getItem('panel')
  } catch {
    return undefined
  }
}
