import { UsageError } from './command.ts'
import type { AssetHost, IgnoredQuery, OriginOptions } from './config.ts'

/** Options of the commands that say which URLs are one asset, for `parseArgs`. */
export const urlOptions = {
  'ignore-query': { type: 'string', multiple: true },
  'asset-host': { type: 'string', multiple: true },
} as const

export const urlOptionsHelp = `  --ignore-query <rule>    query parameters that do not change a file, such as tokens: 'token,sig', or for some paths
                           '/video/**?token,sig'; may be given several times
  --asset-host <rule>      another host of yours, with CORS, that has files of the folder: 'https://media.example.com',
                           or with folders 'https://media.example.com/there/=/here/'; may be given several times
`

interface UrlValues {
  readonly 'ignore-query'?: string[] | undefined
  readonly 'asset-host'?: string[] | undefined
}

/** What the options say, of their form only. Throws a UsageError where it has none. */
export function readUrlOptions(values: UrlValues): Pick<OriginOptions, 'ignoredQuery' | 'hosts'> {
  return { ignoredQuery: values['ignore-query']?.map(readIgnored), hosts: values['asset-host']?.map(readHost) }
}

function readIgnored(rule: string): IgnoredQuery {
  const [, paths, names = ''] = /^(?:(\/[^?]*)\?)?([^?/]+)$/.exec(rule) ?? []
  if (names === '') throw new UsageError(`--ignore-query ${rule}: not of the form token,sig or /video/**?token,sig`)
  return { paths, names: names.split(',') }
}

function readHost(rule: string): AssetHost {
  const [, host, from, to] = /^(https?:\/\/[^/=]+)(\/[^=]*)?(?:=(\/.*))?$/.exec(rule) ?? []
  if (host === undefined) {
    throw new UsageError(`--asset-host ${rule}: not of the form https://host or https://host/there/=/here/`)
  }
  return { host, from, to }
}

const secretName = /token|sig|auth|hmac|policy|expires|^hdn/i

/** Says which ignored parameters look like a permission that nothing asks for any more. */
export function unguardedNote({ ignoredQuery = [], guarded = [] }: OriginOptions): string | undefined {
  const open = ignoredQuery.filter(({ paths = '/**', names }) => {
    const prefix = paths.replace(/\*.*$/s, '')
    return names.some((name) => secretName.test(name)) && !guarded.some((section) => prefix.startsWith(section))
  })
  if (open.length === 0) return undefined
  const rules = open.map(({ paths = '/**', names }) => `${paths}?${names.join()}`).join(' ')
  return `Ignored in URLs, and nothing else guards the files: ${rules}
  Whoever knows a path gets its file from other visitors. If not everybody may have them: --guard <section>\n`
}
