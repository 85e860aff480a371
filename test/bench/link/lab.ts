import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** One direction of an end's line. */
export interface PipeShape {
  /** 0: without limit. */
  readonly bitsPerSecond: number
  readonly delayMs: number
  readonly jitterMs: number
  readonly lossShare: number
  /** Drop-tail. */
  readonly queueBytes: number
}

interface PipeCount {
  readonly packets: number
  readonly bytes: number
  readonly dropped: number
  readonly lost: number
}

export interface LabCount {
  readonly ends: Readonly<Record<string, { readonly up: PipeCount; readonly down: PipeCount }>>
  readonly pings: number
  readonly pingsLost: number
  /** Round trips, in the order of their return. */
  readonly pingUs: readonly number[]
  /** Datagrams that came and found no room in the program's socket: that machine was busy, the line was not. */
  readonly unread: number
}

export interface LabEnd {
  readonly name: string
  readonly address: string
  /** A program that runs this browser in the end's namespace. */
  browserPath(executable: string): Promise<string>
  /** Starts Node in the end's namespace. */
  runNode(args: readonly string[]): ChildProcess
}

export interface Lab {
  readonly ends: readonly LabEnd[]
  shape(end: string, way: 'up' | 'down', shape: PipeShape): Promise<void>
  seed(seed: number): Promise<void>
  ping(from: string, to: string, periodMs: number): Promise<void>
  /** Forgets what was counted. */
  begin(): Promise<void>
  count(): Promise<LabCount>
  close(): Promise<void>
}

export const openPipe: PipeShape = { bitsPerSecond: 0, delayMs: 0, jitterMs: 0, lossShare: 0, queueBytes: 0 }

/** Makes a namespace for each end and the lines between them. Needs root, `ip`, and a C compiler. */
export async function openLab(shaperSource: string, ends: number): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), 'nearhand-link-'))
  const names = Array.from({ length: ends }, (_, at) => `nhlink${process.pid}-${at}`)
  const close = async (): Promise<void> => {
    for (const name of names) spawnSync('ip', ['netns', 'delete', name])
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const program = join(folder, 'shaper')
    run('cc', ['-O2', '-o', program, shaperSource])
    const shaper = new Shaper(program)
    for (const [at, name] of names.entries()) await addEnd(shaper, name, at)
    let unread = 0
    return {
      ends: names.map((name, at) => endOf(folder, name, at)),
      shape: (end, way, { bitsPerSecond, delayMs, jitterMs, lossShare, queueBytes }) =>
        shaper.order(
          `shape ${end} ${way} ${bitsPerSecond} ${delayMs * 1000} ${jitterMs * 1000} ${Math.round(lossShare * 1e6)} ${queueBytes}`,
        ),
      seed: (seed) => shaper.order(`seed ${seed}`),
      ping: (from, to, periodMs) => shaper.order(`ping ${from} ${to} ${periodMs * 1000}`),
      begin: async () => {
        unread = unreadIn(names)
        await shaper.order('begin')
      },
      count: async () => {
        const counted = JSON.parse(await shaper.ask('stats')) as Omit<LabCount, 'unread'>
        return { ...counted, unread: unreadIn(names) - unread }
      },
      close: async () => {
        shaper.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function addEnd(shaper: Shaper, name: string, at: number): Promise<void> {
  run('ip', ['netns', 'add', name])
  const address = addressOf(at)
  await shaper.order(`end ${nameOf(at)} ${name} ${address}`)
  const inside = ['netns', 'exec', name]
  run('ip', [...inside, 'ip', 'link', 'set', 'lo', 'up'])
  run('ip', [...inside, 'ip', 'address', 'add', `${address}/24`, 'dev', 'link0'])
  run('ip', [...inside, 'ip', 'link', 'set', 'link0', 'up'])
  // Without one, Chromium finds no candidates.
  run('ip', [...inside, 'ip', 'route', 'add', 'default', 'dev', 'link0'])
  // Each run's TCP begins as if it were the first.
  run('ip', [...inside, 'sysctl', '-q', '-w', 'net.ipv4.tcp_no_metrics_save=1'])
}

function endOf(folder: string, namespace: string, at: number): LabEnd {
  return {
    name: nameOf(at),
    address: addressOf(at),
    browserPath: async (executable) => {
      const path = join(folder, `browser-${at}`)
      // First in line, so that the rest of a busy machine disturbs the figures less.
      const command = `exec chrt --rr 1 ip netns exec ${namespace} '${executable}' "$@"`
      await writeFile(path, `#!/bin/sh\n${command}\n`, { mode: 0o755 })
      return path
    },
    runNode: (args) =>
      spawn('chrt', ['--rr', '1', 'ip', 'netns', 'exec', namespace, process.execPath, ...args], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
  }
}

/** `RcvbufErrors` of UDP, all ends together. */
function unreadIn(namespaces: readonly string[]): number {
  return namespaces.reduce((sum, name) => {
    const { stdout } = spawnSync('ip', ['netns', 'exec', name, 'cat', '/proc/net/snmp'], { encoding: 'utf8' })
    const [names, values] = stdout.split('\n').filter((line) => line.startsWith('Udp:'))
    const at = names?.split(' ').indexOf('RcvbufErrors') ?? -1
    return sum + Number(values?.split(' ')[at] ?? 0)
  }, 0)
}

const nameOf = (at: number): string => `end${at}`
const addressOf = (at: number): string => `10.83.0.${at + 1}`

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`Cannot run ${command} ${args.join(' ')}: ${stderr ?? ''}`, { cause: error })
}

/** The program that carries the packets: one line for an order, one for its answer. */
class Shaper {
  readonly #child: ChildProcess
  readonly #waiting: { readonly answered: (line: string) => void; readonly failed: (error: Error) => void }[] = []

  constructor(program: string) {
    this.#child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#child
    if (stdout) createInterface({ input: stdout }).on('line', (line) => this.#waiting.shift()?.answered(line))
    const fail = (): void => {
      for (const { failed } of this.#waiting.splice(0)) failed(new Error('Cannot shape: the program ended'))
    }
    this.#child.on('error', fail)
    this.#child.on('exit', fail)
  }

  ask(line: string): Promise<string> {
    return new Promise((answered, failed) => {
      this.#waiting.push({ answered, failed })
      this.#child.stdin?.write(`${line}\n`)
    })
  }

  async order(line: string): Promise<void> {
    if ((await this.ask(line)) !== 'ok') throw new Error(`Cannot shape: "${line}" was refused`)
  }

  close(): void {
    this.#child.stdin?.end()
  }
}
