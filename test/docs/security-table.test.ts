import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/security.md', root), 'utf8')
const section = page.split('\n## ').find((part) => part.startsWith('Attacks')) ?? ''

interface Attack {
  readonly name: string
  readonly tests: readonly { readonly file: string; readonly titles: readonly string[] }[]
}

const attacks: readonly Attack[] = [...section.matchAll(/^\| ([^|]+) \| [^|]+ \| (.+) \|$/gm)]
  .filter(([, name, cell]) => name !== 'Attack' && !cell?.startsWith('---'))
  .map(([, name = '', cell = '']) => ({
    name,
    tests: [...cell.matchAll(/`(test\/[^`]+)`((?: “[^”]+”)+)/g)].map(([, file = '', titles = '']) => ({
      file,
      titles: [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title),
    })),
  }))

describe('docs/security.md', () => {
  test('counts its attacks, those with a test and those that are open', () => {
    const tested = attacks.filter(({ tests }) => tests.length > 0).length
    expect(attacks.length).toBeGreaterThanOrEqual(62)
    expect(section).toContain(`**${attacks.length} attacks: ${tested} tested, ${attacks.length - tested} open.**`)
  })

  test.each(attacks)('names tests that exist against: $name', ({ tests }) => {
    for (const { file, titles } of tests) {
      const url = new URL(file, root)
      expect(existsSync(url), file).toBe(true)
      const source = readFileSync(url, 'utf8')
      for (const title of titles) {
        const isThere = ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`))
        expect(isThere, `${file}: ${title}`).toBe(true)
      }
    }
  })

  test('quotes nothing that it does not check', () => {
    const quoted = [...section.matchAll(/“[^”]+”/g)].length
    expect(quoted).toBe(attacks.flatMap(({ tests }) => tests.flatMap(({ titles }) => titles)).length)
  })
})
