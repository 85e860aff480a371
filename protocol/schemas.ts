import * as v from 'valibot'

/*
 * The bounded forms that all formats are made of. The marks let a bundler leave out the formats that a file does not use.
 */

// @__NO_SIDE_EFFECTS__
export function whole(min: number = 0, max: number = Number.MAX_SAFE_INTEGER): v.GenericSchema<number> {
  return v.pipe(
    v.number(),
    v.check((value) => Number.isSafeInteger(value) && value >= min && value <= max, `not from ${min} to ${max}`),
  )
}

// @__NO_SIDE_EFFECTS__
export function text(max: number, min: number = 0): v.GenericSchema<string> {
  return v.pipe(
    v.string(),
    v.check(({ length }) => length >= min && length <= max, `not ${min} to ${max} characters`),
  )
}

// @__NO_SIDE_EFFECTS__
export function list<Input, Item>(
  item: v.GenericSchema<Input, Item>,
  max: number,
  min: number = 0,
): v.GenericSchema<Input[], Item[]> {
  return v.pipe(
    v.array(item),
    v.check(({ length }) => length >= min && length <= max, `not ${min} to ${max} items`),
  )
}

/** 32 bytes: a raw public key, or the SHA-256 of a DTLS certificate. */
export const hexSchema: v.GenericSchema<string> = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))

interface Message extends v.GenericSchema {
  readonly entries: { readonly type: { readonly literal: string } }
}

/** One of several messages, told apart by their `type`. Valibot's own `variant` does more, and weighs more. */
// @__NO_SIDE_EFFECTS__
export function message<const Messages extends readonly Message[]>(
  messages: Messages,
): v.GenericSchema<unknown, v.InferOutput<Messages[number]>> {
  return v.lazy((input) => {
    const type: unknown = typeof input === 'object' && input !== null && 'type' in input ? input.type : undefined
    return messages.find(({ entries }) => entries.type.literal === type) ?? v.never()
  })
}
