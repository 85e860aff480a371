import { textOf } from '../protocol/bytes.ts'
import { parseWorkerConfig, workerConfigGlobal } from '../protocol/worker-config.ts'
import type { UrlRules } from '../protocol/url-rules.ts'
import type { ScriptNames } from './config.ts'
import type { BrowserScripts } from './scripts.ts'
import type { SiteReader } from './site-reader.ts'
import { isScriptType } from './verify-content.ts'
import type { ReportProblem } from './verify-manifest.ts'
import { reasonOf } from './verify-manifest.ts'

const scriptLimitBytes = 4 * 1024 * 1024

interface VerifyScriptsOptions {
  readonly scriptNames: ScriptNames
  /** What the site is to run. */
  readonly scripts: BrowserScripts
  readonly report: ReportProblem
}

/** What a site's worker file must agree with. */
interface Published {
  readonly roots: readonly string[]
  /** Of each head. */
  readonly urls: readonly (UrlRules | undefined)[]
}

/** Reports scripts that are missing, that a browser would not start, or that are not ours, and a worker of another root. */
export async function verifyScripts(
  reader: SiteReader,
  published: Published | undefined,
  { scriptNames, scripts, report }: VerifyScriptsOptions,
): Promise<void> {
  for (const role of ['tag', 'worker', 'prompt', 'peers', 'serviceWorker'] as const) {
    const path = `/${scriptNames[role]}`
    try {
      const file = await reader.read(path, scriptLimitBytes)
      if (file === undefined) report(path, 'missing')
      else if (file.contentType !== undefined && !isScriptType(file.contentType)) {
        report(path, `content-type ${file.contentType}: no browser starts that as a script`)
      } else {
        const text = textOf(file.bytes)
        const problem =
          role === 'serviceWorker'
            ? findWorkerProblem(text, scripts.serviceWorker, published, reader.base)
            : findTextProblem(text, scripts[role])
        if (problem !== undefined) report(path, problem)
      }
    } catch (error) {
      report(path, reasonOf(error))
    }
  }
}

function findWorkerProblem(
  text: string,
  script: string,
  published: Published | undefined,
  base: string | undefined,
): string | undefined {
  const [line = '', json] = new RegExp(`^self\\.${workerConfigGlobal}=(.*);\\n`).exec(text) ?? []
  if (json === undefined) return 'not a worker file of Nearhand: its first line is no configuration'
  const config = parseWorkerConfig(JSON.parse(json))
  // An older one on the way is as good: its visitors follow.
  if (published && !published.roots.includes(config.root)) return 'trusts another root than the site shows'
  if (base !== undefined && config.base !== base) return `made for a site at ${config.base} instead of ${base}`
  if (published && !isSameRules(config.urls, published.urls)) {
    return 'its rules of queries and hosts are not those of the head: give both the same options'
  }
  return findTextProblem(text.slice(line.length), script)
}

/** A host that puts a byte order mark or other line ends into a script does no harm. */
function findTextProblem(text: string, script: string): string | undefined {
  const plain = (some: string): string =>
    some
      .replace(/^\uFEFF/, '')
      .replaceAll('\r\n', '\n')
      .trimEnd()
  if (plain(text) === plain(script)) return undefined
  return 'other code than this version of Nearhand: changed, or of another version (then publish again)'
}

/** A delegate's head may say nothing of URLs. */
function isSameRules(own: UrlRules | undefined, signed: readonly (UrlRules | undefined)[]): boolean {
  const said = signed.filter((urls) => urls !== undefined)
  return said.length === 0
    ? own === undefined || signed.length === 0
    : said.every((urls) => JSON.stringify(urls) === JSON.stringify(own))
}
