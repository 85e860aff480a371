import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * The command line as it is installed: bundled, with real hashing threads. The package is put together in a folder of
 * the test, so that it needs no build and disturbs none.
 */
export class InstalledCli {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async create(): Promise<InstalledCli> {
    const folder = await mkdtemp(join(tmpdir(), 'nearhand-cli-'))
    const bundle = await rolldown({
      cwd: root,
      input: ['origin/cli.ts', 'origin/hash-worker.ts'],
      platform: 'neutral',
      external: /^[^./]/,
    })
    await bundle.write({
      dir: join(folder, 'dist/npm'),
      format: 'esm',
      preserveModules: true,
      preserveModulesRoot: root,
    })
    await bundle.close()
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    await writeFile(join(folder, 'package.json'), '{"type":"module","version":"1.2.3"}')
    await mkdir(join(folder, 'dist/browser'))
    for (const name of ['nearhand', 'nearhand-worker', 'nearhand-consent', 'nearhand-peers', 'nearhand-sw']) {
      await writeFile(join(folder, `dist/browser/${name}.js`), `// ${name}`)
    }
    return new InstalledCli(folder)
  }

  /** A process of its own. */
  start(cwd: string, args: readonly string[]): ChildProcess {
    const cli = join(this.folder, 'dist/npm/origin/cli.js')
    return spawn(process.execPath, [cli, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }
}
