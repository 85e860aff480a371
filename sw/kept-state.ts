import type * as v from 'valibot'
import { parseValue } from '../protocol/json.ts'

/** What the worker keeps between its lives, a value per word. Every call may fail, and what is loaded may be anything. */
export interface KeptState {
  load(key: string): Promise<unknown>
  save(key: string, value: unknown): Promise<void>
}

/** What was kept, or `otherwise` where there is nothing, or nothing that was ours. */
export async function loadAs<Value>(
  state: KeptState,
  key: string,
  schema: v.GenericSchema<unknown, Value>,
  otherwise: Value,
  report: (error: unknown) => void,
): Promise<Value> {
  try {
    const kept = await state.load(key)
    return kept === undefined ? otherwise : parseValue(schema, kept, `kept ${key}`)
  } catch (error) {
    report(error)
    return otherwise
  }
}
