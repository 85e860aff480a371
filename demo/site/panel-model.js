// What the panel knows, and how traffic changes it. No page in here: values in, values out.

export const SOURCES = ['store', 'peer', 'origin']

// Very large assets are shown in groups of chunks, so that the page never holds thousands of tiles.
const MOST_TILES = 256

export function createModel() {
  return { assets: new Map(), counted: { store: 0, peer: 0, origin: 0 } }
}

// One 'traffic' event. Returns the asset it changed.
export function applyTraffic(model, traffic) {
  const chunkCount = traffic.chunkSize > 0 ? Math.max(1, Math.ceil(traffic.size / traffic.chunkSize)) : 1
  let asset = model.assets.get(traffic.path)
  if (!asset || asset.size !== traffic.size || asset.chunkCount !== chunkCount) {
    asset = {
      path: traffic.path,
      size: traffic.size,
      chunkCount,
      perTile: Math.ceil(chunkCount / MOST_TILES),
      chunks: [],
    }
    model.assets.set(traffic.path, asset)
  }
  for (const chunk of traffic.chunks) {
    if (!SOURCES.includes(chunk.source) || !(chunk.index >= 0 && chunk.index < chunkCount)) continue
    asset.chunks[chunk.index] = chunk.source
    model.counted[chunk.source] += chunk.bytes
  }
  return asset
}

export function tileCount(asset) {
  return Math.ceil(asset.chunkCount / asset.perTile)
}

// The source most chunks of a tile came from; undefined while none has come.
export function tileSource(asset, tile) {
  if (asset.perTile === 1) return asset.chunks[tile]
  const votes = countSources(asset.chunks.slice(tile * asset.perTile, (tile + 1) * asset.perTile))
  const best = SOURCES.reduce((winner, source) => (votes[source] > votes[winner] ? source : winner))
  return votes[best] > 0 ? best : undefined
}

export function countSources(chunks) {
  const counts = { store: 0, peer: 0, origin: 0 }
  for (const source of chunks) if (source) counts[source] += 1
  return counts
}

// Totals by source: what nearhand counts, or what the events added up to where stats() cannot be read.
export function totals(model, stats) {
  const bytes = stats
    ? { store: stats.bytes.store, peer: stats.bytes.peers, origin: stats.bytes.origin }
    : { ...model.counted }
  const all = bytes.store + bytes.peer + bytes.origin
  // What this browser had itself was asked of nobody: a second look at the same plate is no help from neighbours.
  const lacked = bytes.peer + bytes.origin
  return { ...bytes, all, lacked, peerShare: lacked > 0 ? bytes.peer / lacked : 0 }
}

// One line on what Nearhand is doing here, and why not if it is not. Undefined when all is well.
export function situation({ nearhand, isSecure, isControlled, hasWorkers, hasWebRtc }) {
  if (!isSecure) {
    return {
      name: 'Not active here',
      why: 'Browsers run service workers only on https and localhost, so here everything comes from the origin.',
    }
  }
  if (!nearhand) {
    return {
      name: 'Not active here',
      why: 'The Nearhand script is not on this page or did not load. Everything comes from the origin.',
    }
  }
  if (nearhand.state === 'unsupported' || !hasWorkers) {
    return {
      name: 'Not active here',
      why: 'This browser lacks something Nearhand needs (private windows often do).',
    }
  }
  if (nearhand.state === 'off') {
    return { name: 'Switched off', why: 'Nearhand is switched off in this browser. Everything comes from the origin.' }
  }
  if (!isControlled) {
    return { name: 'Starting', why: 'The worker does not control this page yet. If this stays, reload once.' }
  }
  if (nearhand.state === 'starting') return { name: 'Starting', why: undefined }
  if (!hasWebRtc) {
    return { name: 'Store only', why: 'This browser has no WebRTC, so it cannot meet the browsers of other visitors.' }
  }
  if (nearhand.consentState === 'denied') {
    return { name: 'Store only', why: 'You said no to sharing: nothing goes to or comes from other visitors.' }
  }
  if (nearhand.consentState === 'unknown') {
    return { name: 'Store only', why: 'Neighbours join in once you say yes to sharing.' }
  }
  return { name: 'Active', why: undefined }
}
