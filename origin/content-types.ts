import { extname } from 'node:path'

const fallback = 'application/octet-stream'

/** Type and the extensions that have it. Text says its charset, so that no browser guesses another. */
const table: readonly (readonly [type: string, extensions: string])[] = [
  ['text/html; charset=utf-8', 'html htm'],
  ['text/css; charset=utf-8', 'css'],
  ['text/javascript; charset=utf-8', 'js mjs cjs'], // RFC 9239
  ['text/plain; charset=utf-8', 'txt text log'],
  ['text/markdown; charset=utf-8', 'md'],
  ['text/csv; charset=utf-8', 'csv'],
  ['text/calendar; charset=utf-8', 'ics'],
  ['text/vtt; charset=utf-8', 'vtt'],
  ['application/json; charset=utf-8', 'json map'],
  ['application/manifest+json; charset=utf-8', 'webmanifest'],
  ['application/ld+json; charset=utf-8', 'jsonld'],
  ['application/geo+json; charset=utf-8', 'geojson'],
  ['application/xml; charset=utf-8', 'xml xsl'],
  ['application/rss+xml; charset=utf-8', 'rss'],
  ['application/atom+xml; charset=utf-8', 'atom'],
  ['application/xhtml+xml; charset=utf-8', 'xhtml'],
  ['application/wasm', 'wasm'],
  ['application/pdf', 'pdf'],
  ['application/epub+zip', 'epub'],
  ['application/zip', 'zip'],
  ['application/gzip', 'gz tgz'],
  ['application/zstd', 'zst'],
  ['application/x-7z-compressed', '7z'],
  ['application/x-tar', 'tar'],
  ['application/vnd.apple.mpegurl', 'm3u8'], // RFC 8216 section 4
  ['application/dash+xml', 'mpd'],
  ['application/vnd.ms-fontobject', 'eot'],
  ['font/woff', 'woff'],
  ['font/woff2', 'woff2'],
  ['font/ttf', 'ttf'],
  ['font/otf', 'otf'],
  ['image/svg+xml; charset=utf-8', 'svg'],
  ['image/png', 'png'],
  ['image/apng', 'apng'],
  ['image/jpeg', 'jpg jpeg'],
  ['image/gif', 'gif'],
  ['image/webp', 'webp'],
  ['image/avif', 'avif'],
  ['image/jxl', 'jxl'],
  ['image/heic', 'heic'],
  ['image/bmp', 'bmp'],
  ['image/tiff', 'tif tiff'],
  ['image/ktx2', 'ktx2'],
  ['image/x-icon', 'ico cur'],
  ['video/mp4', 'mp4 m4v'],
  ['video/iso.segment', 'm4s cmfv'],
  ['video/mp2t', 'ts'], // a TypeScript source is nothing that a site serves
  ['video/webm', 'webm'],
  ['video/ogg', 'ogv'],
  ['video/quicktime', 'mov'],
  ['video/x-matroska', 'mkv'],
  ['audio/mp4', 'm4a cmfa'],
  ['audio/mpeg', 'mp3'],
  ['audio/aac', 'aac'],
  ['audio/ogg', 'ogg oga'],
  ['audio/opus', 'opus'],
  ['audio/flac', 'flac'],
  ['audio/wav', 'wav'],
  ['audio/webm', 'weba'],
  ['model/gltf-binary', 'glb'],
  ['model/gltf+json; charset=utf-8', 'gltf'],
]

const byExtension = new Map(table.flatMap(([type, extensions]) => extensions.split(' ').map((name) => [name, type])))

/**
 * The content-type of a file by its name: `application/octet-stream` where the extension says nothing.
 *
 * @param isUtf8 whether its bytes are UTF-8; where not, no charset is named: it would win over what the page itself
 * says (https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding)
 */
export function contentTypeOf(name: string, isUtf8 = true): string {
  const extension = extname(name).slice(1).toLowerCase()
  if (extension === '') return fallback
  const type = byExtension.get(extension) ?? fallback
  return isUtf8 ? type : type.replace(/;.*/, '')
}
