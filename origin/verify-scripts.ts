import { textOf } from '../protocol/bytes.ts'
import type { WorkerConfig } from '../protocol/worker-config.ts'
import { parseWorkerConfig, workerConfigGlobal } from '../protocol/worker-config.ts'
import type { ScriptNames } from './config.ts'
import type { SiteReader } from './site-reader.ts'
import { isScriptType } from './verify-content.ts'
import type { ReportProblem } from './verify-manifest.ts'
import { reasonOf } from './verify-manifest.ts'

const scriptLimitBytes = 4 * 1024 * 1024

interface VerifyScriptsOptions {
  readonly scriptNames: ScriptNames
  readonly report: ReportProblem
}

/** Reports scripts that are missing or that a browser would not start, and a worker that trusts another root. */
export async function verifyScripts(
  reader: SiteReader,
  rootEnvelope: string | undefined,
  { scriptNames, report }: VerifyScriptsOptions,
): Promise<void> {
  for (const name of Object.values(scriptNames)) {
    const path = `/${name}`
    try {
      const file = await reader.read(path, scriptLimitBytes)
      if (file === undefined) report(path, 'missing')
      else if (file.contentType !== undefined && !isScriptType(file.contentType)) {
        report(path, `content-type ${file.contentType}: no browser starts that as a script`)
      } else if (name === scriptNames.serviceWorker) {
        const problem = findConfigProblem(readConfig(textOf(file.bytes)), rootEnvelope, reader.base)
        if (problem !== undefined) report(path, problem)
      }
    } catch (error) {
      report(path, reasonOf(error))
    }
  }
}

function findConfigProblem(
  config: WorkerConfig | undefined,
  rootEnvelope: string | undefined,
  base: string | undefined,
): string | undefined {
  if (config === undefined) return 'not a worker file of Nearhand: its first line is no configuration'
  if (rootEnvelope !== undefined && config.root !== rootEnvelope) return 'trusts another root than the site shows'
  if (base !== undefined && config.base !== base) return `made for a site at ${config.base} instead of ${base}`
  return undefined
}

/** The configuration that `composeWorkerFile` put before the script. */
function readConfig(file: string): WorkerConfig | undefined {
  const json = new RegExp(`^self\\.${workerConfigGlobal}=(.*);\\n`).exec(file)?.[1]
  return json === undefined ? undefined : parseWorkerConfig(JSON.parse(json))
}
