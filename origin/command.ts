/** Where a command writes text. */
export interface CommandOutput {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
}

export interface CommandIo {
  readonly stdout: CommandOutput
  readonly stderr: CommandOutput
  /** Relative paths of the arguments begin here. */
  readonly cwd: string
  /** Aborted when the command is to stop. */
  readonly signal: AbortSignal
}

/** One command of `nearhand`. What it throws becomes one line on stderr: a UsageError ends with 2, others with 1. */
export interface Command {
  readonly name: string
  /** A few words for the list of commands. */
  readonly summary: string
  /** What `nearhand <name> --help` prints; the runner answers `--help`, commands never see it. */
  readonly help: string
  /** Resolves with the exit code: 0 it worked, 1 it did not, 2 wrong usage. */
  run(args: string[], io: CommandIo): Promise<number>
}

/** The command line cannot be understood. The text is one line for the one who typed it. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}
