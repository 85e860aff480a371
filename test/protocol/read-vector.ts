import { readFileSync } from 'node:fs'

/** A frozen vector of `test/vectors`. Its form is stated by the test: the files are ours and change only with a version. */
export function readVector<Form>(name: string): Form {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as Form
}
