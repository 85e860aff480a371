import { describe, expect, test } from 'vitest'
import type { Command } from '../../origin/command.ts'
import { UsageError } from '../../origin/command.ts'
import { onlyArgument, parseDuration, parseOptions } from '../../origin/parse-options.ts'
import { createProgress, formatBytes } from '../../origin/progress.ts'
import { runCli } from '../../origin/run-cli.ts'

const dance: Command = {
  name: 'dance',
  summary: 'dance a little',
  help: 'how to dance\n',
  async run(args, io) {
    const { values } = parseOptions(args, { speed: { type: 'string' }, slow: { type: 'boolean' } })
    if (values.speed === 'high') throw new Error('Cannot dance: too fast')
    io.stdout.write(`danced ${values.speed ?? ''}\n`)
    return 0
  },
}

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (written[name] += text) })
  const io = { stdout: output('stdout'), stderr: output('stderr'), cwd: '/', signal: new AbortController().signal }
  return { code: await runCli(args, [dance], '1.2.3', io), ...written }
}

describe('runCli()', () => {
  test('runs the command and gives its exit code', async () => {
    expect(await run('dance', '--speed', 'low')).toEqual({ code: 0, stdout: 'danced low\n', stderr: '' })
  })

  test('answers --version, and --help of all and of one', async () => {
    expect((await run('--version')).stdout).toBe('1.2.3\n')
    expect((await run('--help')).stdout).toContain('dance a little')
    expect(await run('dance', '--help')).toMatchObject({ code: 0, stdout: 'how to dance\n' })
    expect((await run('help', 'dance')).stdout).toBe('how to dance\n')
    expect(await run()).toMatchObject({ code: 2, stdout: '' })
  })

  test('ends with 2 and names the nearest where a command or option is unknown', async () => {
    expect(await run('dence')).toMatchObject({
      code: 2,
      stderr: 'nearhand: unknown command dence, did you mean dance?\n',
    })
    expect((await run('xyz')).stderr).toContain('(there are dance)')
    const { code, stderr } = await run('dance', '--sped', 'low')
    expect(code).toBe(2)
    expect(stderr).toContain('Unknown option --sped, did you mean --speed?')
    expect((await run('dance', '--zzzzz')).stderr).toContain('Unknown option --zzzzz\n')
  })

  test('ends with 2 where an option has no value, or one that it does not take', async () => {
    expect((await run('dance', '--speed')).code).toBe(2)
    expect((await run('dance', '--slow=1')).code).toBe(2)
  })

  test('ends with 1 and one line where the command fails', async () => {
    expect(await run('dance', '--speed=high')).toMatchObject({
      code: 1,
      stderr: 'nearhand dance: Cannot dance: too fast\n',
    })
  })
})

test('parseDuration() reads seconds, minutes, hours and days, and nothing else', () => {
  expect(['90s', '15m', '24h', '30d'].map((text) => parseDuration('life', text))).toEqual([90, 900, 86_400, 2_592_000])
  for (const text of ['', '0s', '5', '-1h', '1.5h', '1w', '99999999s']) {
    expect(() => parseDuration('life', text)).toThrow(UsageError)
  }
})

test('onlyArgument() takes exactly one', () => {
  expect(onlyArgument(['a'], 'folder')).toBe('a')
  expect(() => onlyArgument([], 'folder')).toThrow('Which folder?')
  expect(() => onlyArgument(['a', 'b'], 'folder')).toThrow('what is b?')
})

test('formatBytes() rounds to what people read', () => {
  expect([0, 999, 1000, 99_950, 999_499, 999_600, 1e9].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 KB',
    '100 KB',
    '999 KB',
    '1.0 MB',
    '1.0 GB',
  ])
})

describe('createProgress()', () => {
  function show(isTTY: boolean): string {
    let [text, now] = ['', 0]
    const progress = createProgress({ isTTY, write: (piece) => (text += piece) }, () => now)
    for (let files = 1; files <= 100; files += 1) {
      now += 10
      progress.update({ files, totalFiles: 100, bytes: files, totalBytes: 100 })
    }
    progress.end()
    return text
  }

  test('writes a line at each quarter where nobody watches', () => {
    expect(show(false).split('\n')).toHaveLength(5)
  })

  test('keeps to one line on a terminal, ten times a second at most, and clears it', () => {
    expect(show(true)).not.toContain('\n')
    expect(show(true).split('\r')).toHaveLength(12)
    expect(show(true).endsWith('\r\u001B[K')).toBe(true)
  })
})
