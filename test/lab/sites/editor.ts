import type { RealSite } from './real-site.ts'
import { writePackage } from './real-site.ts'

const languages = ['python', 'rust', 'sql', 'kotlin', 'markdown', 'yaml', 'solidity', 'powerquery']

/** The Monaco editor: large scripts and many small ones, a web worker, a style sheet with a font. */
export const editor: RealSite = {
  name: 'editor (monaco-editor)',
  write: (folder) => writePackage('monaco-editor', { min: '.' }, folder, { 'index.html': html }),
  async visit(page, url) {
    await page.goto(url, { waitUntil: 'load' })
    for (const language of languages) {
      await page.evaluate((name) => editorOf(name), language)
    }
  },
  answered: 25,
}

declare global {
  /** Shows a text in this language; resolves when it is coloured. */
  // oxlint-disable-next-line no-var
  var editorOf: (language: string) => Promise<void>
}

const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Editor</title>
    <link rel="icon" href="data:,">
  </head>
  <body>
    <div id="editor" style="height: 400px"></div>
    <script src="/vs/loader.js"></script>
    <script>
      require.config({ paths: { vs: '/vs' } })
      const loaded = new Promise((resolve) => require(['vs/editor/editor.main'], (monaco) => {
        monaco.editor.create(document.getElementById('editor'), { value: 'for x in 1', language: 'plaintext' })
        resolve(monaco)
      }))
      globalThis.editorOf = async (language) => {
        const monaco = await loaded
        const [model] = monaco.editor.getModels()
        monaco.editor.setModelLanguage(model, language)
        await monaco.editor.colorize(model.getValue(), language)
      }
    </script>
  </body>
</html>
`
