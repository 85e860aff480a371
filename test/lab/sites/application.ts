import type { RealSite } from './real-site.ts'
import { writePackage } from './real-site.ts'

const files = ['pyodide.mjs', 'pyodide.asm.mjs', 'pyodide.asm.wasm', 'pyodide-lock.json', 'python_stdlib.zip']

/** Pyodide, which is Python: modules, an archive, and ten megabytes of WebAssembly that are compiled as they come. */
export const application: RealSite = {
  name: 'wasm application (pyodide)',
  write: (folder) =>
    writePackage('pyodide', Object.fromEntries(files.map((file) => [file, file])), folder, { 'index.html': html }),
  async visit(page, url) {
    await page.goto(url, { waitUntil: 'load' })
    const text = await page.evaluate(() => answerOfPython)
    if (text !== '5050') throw new Error(`Cannot run Python: it answered ${text}`)
  },
  answered: 5,
}

declare global {
  // oxlint-disable-next-line no-var
  var answerOfPython: Promise<string>
}

const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Python</title>
    <link rel="icon" href="data:,">
    <script>
      globalThis.answerOfPython = import('/pyodide.mjs').then(async ({ loadPyodide }) => {
        const python = await loadPyodide({ indexURL: '/' })
        return python.runPython('import json; json.dumps(sum(range(101)))')
      })
    </script>
  </head>
  <body></body>
</html>
`
