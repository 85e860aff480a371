import * as v from 'valibot'
import { textOf } from './bytes.ts'
import { ProtocolError } from './errors.ts'

/** Parses outside text of bounded length against a schema, or throws a ProtocolError that names `what`. */
export function parseJson<const Schema extends v.GenericSchema>(
  schema: Schema,
  input: string | Uint8Array,
  limit: number,
  what: string,
): v.InferOutput<Schema> {
  if (input.length > limit) throw new ProtocolError('oversized', `Cannot read ${what}: over ${limit} bytes`)
  const text = typeof input === 'string' ? input : textOf(input)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ProtocolError('malformed', `Cannot read ${what}: not JSON`, { cause })
  }
  return parseValue(schema, value, what)
}

/** The same for a value that is already structured, such as a posted message. */
export function parseValue<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  what: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  const issue = result.issues[0]
  const path = issue.path?.map((item) => String(item.key)).join('.')
  throw new ProtocolError('malformed', `Cannot read ${what}: ${path ? `${path}: ` : ''}${issue.message}`)
}
