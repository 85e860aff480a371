// The panel's elements. Everything shown is written with textContent: paths and peer ids come from outside.
import { SOURCES, countSources, tileCount, tileSource } from './panel-model.js'
import { readableBytes } from './ready.js'

const NAMES = { store: 'Own store', peer: 'Neighbours', origin: 'Origin' }

export function element(tag, className, ...content) {
  const made = document.createElement(tag)
  if (className) made.className = className
  made.append(...content)
  return made
}

export function button(text, onClick) {
  const made = element('button', 'panel-button', text)
  made.type = 'button'
  made.addEventListener('click', onClick)
  return made
}

export function createView() {
  const view = {
    root: element('aside', 'panel'),
    toggle: element('button', 'panel-toggle'),
    title: element('span', 'panel-title', 'Where bytes came from'),
    summary: element('span', 'panel-title panel-summary', 'Nearhand'),
    state: element('span', 'panel-state', 'Starting'),
    body: element('div', 'panel-body'),
    why: element('p', 'panel-why'),
    share: element('p', 'panel-share'),
    bars: [],
    amounts: {},
    legend: element('ul', 'panel-legend'),
    uploaded: element('p', 'panel-uploaded'),
    peers: element('ul', 'panel-peers'),
    noPeers: element('p', 'panel-hint'),
    assets: element('ol', 'panel-assets'),
    noAssets: element('p', 'panel-hint'),
    actions: element('div', 'panel-actions'),
    rows: new Map(),
  }
  view.root.setAttribute('aria-label', 'Where bytes came from')
  view.body.id = 'panel-body'
  view.body.tabIndex = -1
  view.toggle.type = 'button'
  view.toggle.setAttribute('aria-controls', view.body.id)
  view.toggle.append(view.title, view.summary, view.state, element('span', 'panel-arrow'), stackedBar(view))
  for (const source of SOURCES) {
    view.amounts[source] = element('b', '', '0 B')
    view.legend.append(element('li', '', tile(source), NAMES[source], view.amounts[source]))
  }
  const total = element('section', '', view.share, stackedBar(view), view.legend, view.uploaded)
  const peers = element('section', '', element('h3', '', 'Neighbours connected'), view.peers, view.noPeers)
  const assets = element('section', '', element('h3', '', 'Every chunk'), view.noAssets, view.assets)
  view.body.append(view.why, total, peers, assets, view.actions)
  view.root.append(view.toggle, view.body)
  return view
}

function stackedBar(view) {
  const parts = Object.fromEntries(SOURCES.map((source) => [source, element('i', `source-${source}`)]))
  view.bars.push(parts)
  const bar = element('span', 'panel-bar', ...Object.values(parts))
  bar.setAttribute('aria-hidden', 'true')
  return bar
}

function tile(source) {
  const made = element('i', 'tile')
  made.setAttribute('aria-hidden', 'true')
  if (source) made.dataset.source = source
  return made
}

export function showTotals(view, sums, uploadedBytes) {
  for (const source of SOURCES) {
    for (const bar of view.bars) bar[source].style.flexGrow = String(sums.all > 0 ? sums[source] / sums.all : 0)
    view.amounts[source].textContent = readableBytes(sums[source])
  }
  const percent = `${Math.floor(sums.peerShare * 100)} %`
  view.share.replaceChildren(
    element('strong', '', percent),
    ` of the ${readableBytes(sums.lacked)} this browser did not hold came from neighbours: ${readableBytes(sums.peer)}`,
  )
  if (sums.lacked > 0) view.summary.textContent = `${percent} from neighbours`
  view.uploaded.textContent = `Counted in this browser since its first visit. Passed on to others today: ${readableBytes(uploadedBytes)}`
}

export function showPeers(view, peers) {
  view.noPeers.hidden = peers.length > 0
  view.peers.replaceChildren(
    ...peers.map((peer) => {
      const time = peer.roundTripMs === undefined ? '– ms' : `${Math.round(peer.roundTripMs)} ms`
      const moved = `${readableBytes(peer.receivedBytes)} from them, ${readableBytes(peer.sentBytes)} to them`
      return element(
        'li',
        '',
        element('code', '', String(peer.id).slice(0, 8)),
        element('span', '', time),
        element('span', '', `${readableBytes(peer.bytesPerSecond)}/s`),
        element('small', '', moved),
      )
    }),
  )
}

export function showAsset(view, asset) {
  view.noAssets.hidden = true
  let row = view.rows.get(asset.path)
  if (!row || row.tiles.length !== tileCount(asset)) {
    const tiles = Array.from({ length: tileCount(asset) }, () => tile())
    const strip = element('div', 'panel-tiles', ...tiles)
    strip.setAttribute('role', 'img')
    const name = element('span', 'panel-name', asset.path.split('/').pop() || asset.path)
    name.title = asset.path
    const item = element('li', '', name, element('span', 'panel-size', readableBytes(asset.size)), strip)
    if (row) row.item.replaceWith(item)
    else view.assets.append(item)
    row = { item, tiles, strip }
    view.rows.set(asset.path, row)
  }
  for (const [index, shown] of row.tiles.entries()) {
    const source = tileSource(asset, index)
    if (source && shown.dataset.source !== source) shown.dataset.source = source
  }
  const counts = countSources(asset.chunks)
  const words = SOURCES.filter((source) => counts[source] > 0).map(
    (source) => `${counts[source]} ${NAMES[source].toLowerCase()}`,
  )
  row.strip.setAttribute('aria-label', `${asset.chunkCount} chunks: ${words.join(', ')}`)
}

export function showSituation(view, situation) {
  view.state.textContent = situation.name
  view.state.dataset.state = situation.name === 'Active' ? 'active' : 'quiet'
  view.why.textContent = situation.why ?? ''
  view.why.hidden = !situation.why
}
