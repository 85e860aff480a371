import fc from 'fast-check'

/** JSON texts of every shape, wrong in most: what a parser of outside text must survive. */
export function hostileTexts(valid: readonly unknown[]): fc.Arbitrary<string> {
  const key = fc.constantFrom('__proto__', 'constructor', 'toString', 'type', 'length', 'site', '')
  const scalar = fc.constantFrom(
    '1e999',
    '-0',
    '9007199254740993',
    '1'.repeat(400),
    '"\\ud800"',
    'null',
    '"\\u0000"',
    '[]',
  )
  const changed = fc
    .tuple(fc.constantFrom(...valid), key, scalar)
    .map(([value, name, text]) => JSON.stringify(value).replace(/^\{/, `{${JSON.stringify(name)}:${text},`))
  const replaced = fc.tuple(fc.constantFrom(...valid), fc.nat(), scalar).map(([value, at, text]) => {
    const values = [...JSON.stringify(value).matchAll(/:("[^"]*"|\d+|true|false|null)/g)]
    const hit = values[at % Math.max(values.length, 1)]
    const json = JSON.stringify(value)
    return hit === undefined ? json : `${json.slice(0, hit.index)}:${text}${json.slice(hit.index + hit[0].length)}`
  })
  const cut = fc
    .tuple(fc.constantFrom(...valid), fc.nat())
    .map(([value, at]) => JSON.stringify(value).slice(0, at % JSON.stringify(value).length))
  return fc.oneof(fc.string({ unit: 'binary' }), fc.json(), changed, replaced, cut)
}

/** Deeper than any stack: what a recursive reader dies of. */
export const deepText: string = `${'['.repeat(5000)}${']'.repeat(5000)}`
