import { parseJson } from '../protocol/json.ts'
import { admitBytes, admitWaitMs, pathLimit, sectionLimit } from '../protocol/limits.ts'
import { list, text } from '../protocol/schemas.ts'
import type { Admit } from './config.ts'

const answerSchema = list(text(pathLimit), sectionLimit)

/**
 * Asks a backend which guarded sections a visitor may join: a GET of `url` with the visitor's cookies and with the query
 * of its page's request, parameters of `url` itself apart. 200 and a JSON list of sections lets it into these; any other answer, and none in time, into none.
 */
export function admitByUrl(url: string, log: (line: string) => void): Admit {
  return async (request) => {
    const asked = new URL(url)
    // What the operator's URL says is no visitor's to say again: of two, backends take now the first, now the last.
    const own = new Set(asked.searchParams.keys())
    for (const [name, value] of new URL(request.url).searchParams) {
      if (!own.has(name)) asked.searchParams.append(name, value)
    }
    const cookie = request.headers.get('cookie')
    try {
      const response = await fetch(asked, {
        headers: { accept: 'application/json', ...(cookie !== null && { cookie }) },
        redirect: 'error',
        signal: AbortSignal.timeout(admitWaitMs),
      })
      const answer = await response.text()
      return response.status === 200 ? parseJson(answerSchema, answer, admitBytes, 'answer of the backend') : []
    } catch (error) {
      log(`Cannot ask ${asked.origin}${asked.pathname} whom to admit: ${error instanceof Error ? error.message : ''}`)
      return []
    }
  }
}
