import * as v from 'valibot'
import { pathLimit } from './limits.ts'
import { canonicalPath } from './paths.ts'
import { text } from './schemas.ts'

export const pathSchema: v.GenericSchema<string> = v.pipe(
  text(pathLimit),
  v.check((spelled) => canonicalPath(spelled) === spelled, 'not a canonical path'),
)

export const prefixSchema: v.GenericSchema<string> = v.pipe(
  pathSchema,
  v.check((spelled) => spelled.endsWith('/'), 'a prefix ends in /'),
)
