import type { Command, CommandIo } from './command.ts'
import { UsageError } from './command.ts'
import { nearestWord } from './nearest.ts'

/** Runs the command that the arguments name; resolves with the exit code: 0 it worked, 1 it did not, 2 wrong usage. */
export async function runCli(
  args: readonly string[],
  commands: readonly Command[],
  version: string,
  io: CommandIo,
): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const asked = commands.find((command) => command.name === rest[0])
    ;(name === undefined ? io.stderr : io.stdout).write(asked?.help ?? overview(commands))
    return name === undefined ? 2 : 0
  }
  if (name === '--version' || name === '-v') {
    io.stdout.write(`${version}\n`)
    return 0
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (command === undefined) {
    const names = commands.map((candidate) => candidate.name)
    const nearest = nearestWord(name, names)
    const hint = nearest === undefined ? ` (there are ${names.join(', ')})` : `, did you mean ${nearest}?`
    io.stderr.write(`nearhand: unknown command ${name}${hint}\n`)
    return 2
  }
  if (asksForHelp(rest)) {
    io.stdout.write(command.help)
    return 0
  }
  return runCommand(command, rest, io)
}

async function runCommand(command: Command, args: string[], io: CommandIo): Promise<number> {
  try {
    return await command.run(args, io)
  } catch (error) {
    if (io.signal.aborted) {
      io.stderr.write(`nearhand ${command.name}: stopped\n`)
      return 1
    }
    io.stderr.write(`nearhand ${command.name}: ${error instanceof Error ? error.message : String(error)}\n`)
    if (!(error instanceof UsageError)) return 1
    io.stderr.write(`See nearhand ${command.name} --help\n`)
    return 2
  }
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end < 0 ? args.length : end).some((arg) => arg === '--help' || arg === '-h')
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return `Nearhand: visitors of a site get its files from each other, verified

Usage: nearhand <command> [options]

${lines.join('\n')}

nearhand <command> --help tells more. Exit codes: 0 it worked, 1 it did not, 2 wrong usage.
`
}
