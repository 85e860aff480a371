import { trafficChannelName } from '../../../protocol/bridge.ts'
import { assetObjectStore, deviceNames } from '../../../protocol/store-layout.ts'

/** The page of the test site: a tag, and functions with which a test asks for assets as a site's own script would. */
export function sitePage(tag: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Test site</title>
    <link rel="icon" href="data:,">
    ${tag}
  </head>
  <body>
    <h1>Test site</h1>
    <script>${pageScript}</script>
  </body>
</html>
`
}

const pageScript = `
  globalThis.site = {
    traffic: [],
    async sha256(buffer) {
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', buffer))
      return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    },
    async load(path, init = {}) {
      const response = await fetch(path, init)
      const buffer = await response.arrayBuffer()
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        size: buffer.byteLength,
        sha256: await this.sha256(buffer),
      }
    },
    insert(tag, path) {
      const element = Object.assign(document.createElement(tag), { src: path })
      return new Promise((resolve, reject) => {
        element.onload = () => resolve(true)
        element.onerror = () => reject(new Error('Cannot insert ' + path))
        document.body.append(element)
      })
    },
    play(path) {
      const video = Object.assign(document.createElement('video'), { src: path, muted: true, controls: true })
      document.body.append(video)
      this.video = video
      return video.play()
    },
    // Opening a database that is not there would make an empty one, and the worker's own could not be made any more.
    async storedSpans(id) {
      const names = (await indexedDB.databases()).map(({ name }) => name)
      if (!names.includes('${deviceNames('/').database}')) return 0
      const settled = (request) => new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
      const database = await settled(indexedDB.open('${deviceNames('/').database}'))
      try {
        const assets = database.transaction('${assetObjectStore}').objectStore('${assetObjectStore}')
        return (await settled(assets.get(id)))?.spans.length ?? 0
      } finally {
        database.close()
      }
    },
    listen() {
      new BroadcastChannel('${trafficChannelName('/')}').onmessage = ({ data }) => this.traffic.push(data)
    },
  }
  site.listen()
`
