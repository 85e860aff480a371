const images = 'png apng jpg jpeg gif webp avif jxl svg ico bmp ktx2'
const fonts = 'woff woff2 ttf otf'
const code = 'css js mjs wasm'
// No playlists: those of a live stream are new every few seconds, and they are small.
const media = 'mp4 m4v webm ogv mov m4s cmfv cmfa ts m4a mp3 aac ogg oga opus flac wav weba vtt'
const files = 'pdf epub zip gz tgz zst 7z json geojson csv bin dat data pck glb gltf onnx safetensors pmtiles'

/**
 * What the worker may answer unless a site says otherwise: files that are the same for every visitor. Never HTML,
 * where redirects, log-ins and nonces live.
 */
export const defaultPatterns: readonly string[] = [images, fonts, code, media, files]
  .flatMap((list) => list.split(' '))
  .map((extension) => `/**.${extension}`)
