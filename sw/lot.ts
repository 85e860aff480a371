import * as v from 'valibot'
import type { KeptState } from './kept-state.ts'
import { loadAs } from './kept-state.ts'

const stateKey = 'lot'
const nobody = 1
const schema = v.pipe(
  v.number(),
  v.check((lot) => lot >= 0 && lot < nobody, 'no lot'),
)

/** Where this device stands, from 0 to 1, when only a share of the visitors is let in: drawn once, and kept. */
export async function loadLot(
  state: KeptState,
  random: () => number,
  report: (error: unknown) => void,
): Promise<number> {
  const kept = await loadAs(state, stateKey, schema, nobody, report)
  if (kept !== nobody) return kept
  const lot = random()
  await state.save(stateKey, lot).catch(report)
  return lot
}
