/** The page of the benchmark: the plates as images, the film by a script, and the moment when all of it is there. */
export function mediaPage(images: readonly string[], film: string, startsAlone: boolean): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Benchmark</title>
    <link rel="icon" href="data:,">
  </head>
  <body>
    <h1>Benchmark</h1>
    ${startsAlone ? images.map((path) => `<img src="${path}" alt="">`).join('\n    ') : ''}
    <script>${script(images, film)}</script>
    ${startsAlone ? '<script>bench.finished = bench.load()</script>' : ''}
  </body>
</html>
`
}

const script = (images: readonly string[], film: string) => `
  globalThis.bench = {
    // Resolves to the milliseconds from the start of the page, or of this call where it inserts the images itself.
    async load() {
      const shown = [...document.images]
      const startMs = shown.length > 0 ? 0 : performance.now()
      if (shown.length === 0) {
        for (const path of ${JSON.stringify(images)}) {
          const image = Object.assign(new Image(), { src: path })
          shown.push(image)
          document.body.append(image)
        }
      }
      const ends = shown.map((image) => new Promise((resolve, reject) => {
        if (image.complete && image.naturalWidth > 0) resolve()
        image.onload = resolve
        image.onerror = () => reject(new Error('Cannot show ' + image.src))
      }))
      await Promise.all([...ends, this.fetchFilm()])
      return performance.now() - startMs
    },
    async fetchFilm() {
      const response = await fetch(${JSON.stringify(film)})
      if (!response.ok) throw new Error('Cannot fetch the film: ' + response.status)
      const reader = response.body.getReader()
      let bytes = 0
      for (let read = await reader.read(); !read.done; read = await reader.read()) bytes += read.value.length
      if (bytes !== Number(response.headers.get('content-length'))) throw new Error('Cannot fetch the film: it is cut')
    },
  }
`
