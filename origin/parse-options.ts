import type { ParseArgsConfig } from 'node:util'
import { parseArgs } from 'node:util'
import { UsageError } from './command.ts'
import type { OriginConfig, OriginOptions } from './config.ts'
import { resolveConfig } from './config.ts'
import { freshLifeFloorSeconds, freshLifeLimitSeconds } from '../protocol/limits.ts'
import { describeDuration } from './lives.ts'
import { nearestWord } from './nearest.ts'

type OptionTypes = NonNullable<ParseArgsConfig['options']>
type Parsed<Options extends OptionTypes> = ReturnType<
  typeof parseArgs<{ options: Options; allowPositionals: true; strict: true; args: string[] }>
>

/** Parses a command's arguments, or throws a UsageError that names the nearest option there is. */
export function parseOptions<const Options extends OptionTypes>(args: string[], options: Options): Parsed<Options> {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    const unknown = /^Unknown option '(-[^']*)'/.exec(text)?.[1]
    if (unknown === undefined) throw new UsageError(text.split('\n')[0] ?? text, { cause })
    const nearest = nearestWord(unknown.replace(/^-+/, ''), Object.keys(options))
    const hint = nearest === undefined ? '' : `, did you mean --${nearest}?`
    throw new UsageError(`Unknown option ${unknown}${hint}`, { cause })
  }
}

/** The one argument that a command takes. */
export function onlyArgument(positionals: readonly string[], what: string): string {
  const [first, second] = positionals
  if (first === undefined) throw new UsageError(`Which ${what}?`)
  if (second !== undefined) throw new UsageError(`One ${what} at a time: what is ${second}?`)
  return first
}

/** Refuses what an origin would refuse, before anything is written. */
export function checkOptions<Options extends OriginOptions>(options: Options): Options {
  configOf(options)
  return options
}

/** What an origin makes of options, or a UsageError. */
export function configOf(options: OriginOptions): OriginConfig {
  try {
    return resolveConfig(options)
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

const unitSeconds = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
])

/** A time such as `90s`, `15m`, `24h` or `30d`, in seconds. */
export function parseDuration(option: string, text: string, least: number = 1, most: number = Infinity): number {
  const [, number, unit] = /^(\d{1,7})([smhd])$/.exec(text) ?? []
  const seconds = Number(number) * (unitSeconds.get(unit ?? '') ?? Number.NaN)
  if (!(seconds > 0)) throw new UsageError(`--${option} ${text}: not a time such as 90s, 15m, 24h or 30d`)
  if (seconds < least) throw new UsageError(`--${option} ${text}: ${describeDuration(least)} at least`)
  if (seconds > most) throw new UsageError(`--${option} ${text}: ${describeDuration(most)} at most`)
  return seconds
}

/** The longest life of a fresh; undefined where it was not given. */
export function parseFreshLife(text: string | undefined): number | undefined {
  return text === undefined
    ? undefined
    : parseDuration('fresh-life', text, freshLifeFloorSeconds, freshLifeLimitSeconds)
}
