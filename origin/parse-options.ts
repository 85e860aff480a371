import type { ParseArgsConfig } from 'node:util'
import { parseArgs } from 'node:util'
import { UsageError } from './command.ts'

type OptionTypes = NonNullable<ParseArgsConfig['options']>
type Parsed<Options extends OptionTypes> = ReturnType<
  typeof parseArgs<{ options: Options; allowPositionals: true; strict: true; args: string[] }>
>

/** Parses a command's arguments, or throws a UsageError that names the nearest option there is. */
export function parseOptions<const Options extends OptionTypes>(args: string[], options: Options): Parsed<Options> {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
