import * as v from 'valibot'
import { candidatesPerSignal, sdpLimitBytes } from '../protocol/limits.ts'
import { buildSdp, parseCandidate, sessionDescriptionSchema } from '../protocol/session-description.ts'

export interface SdpRules {
  /** Whether candidates of a visitor's own network pass. */
  readonly lan: boolean
  /** SHA-256 of the certificate that the sender's pass names; undefined where no pass is asked for. */
  readonly fingerprint: string | undefined
}

/** The lines of an SDP that count. */
interface Lines {
  iceUfrag: string
  icePwd: string
  fingerprint: string
  setup: string
  readonly candidates: string[]
}

/**
 * An offer or answer of a foreign client, built anew from what a data channel needs: media, foreign attributes and
 * candidates of private networks do not get through. Undefined where it is no such description, or of another
 * certificate than the pass.
 */
export function rebuildSdp(sdp: string, { lan, fingerprint }: SdpRules): string | undefined {
  const lines = sdp.length > sdpLimitBytes ? undefined : readLines(sdp)
  if (lines === undefined) return undefined
  const { candidates, ...values } = lines
  const description = v.safeParse(sessionDescriptionSchema, values)
  if (!description.success) return undefined
  if (fingerprint !== undefined && description.output.fingerprint !== fingerprint) return undefined
  let text = buildSdp(description.output)
  let left = candidatesPerSignal
  for (const line of candidates) {
    const candidate = parseCandidate(line)
    if (candidate === undefined || (candidate.isLocal && !lan)) continue
    text += `a=${candidate.text}\r\n`
    left -= 1
    if (left === 0) break
  }
  return text
}

/** In one pass: a tracker does this for each offer that it carries. Undefined where there is not just one data section. */
function readLines(sdp: string): Lines | undefined {
  const lines: Lines = { iceUfrag: '', icePwd: '', fingerprint: '', setup: '', candidates: [] }
  let sections = 0
  for (const line of sdp.split(/\r?\n/)) {
    if (line.startsWith('m=')) {
      sections += 1
      if (sections > 1 || !line.startsWith('m=application ')) return undefined
    } else if (line.startsWith('a=candidate:')) lines.candidates.push(line.slice(2))
    else if (line.startsWith('a=ice-ufrag:')) lines.iceUfrag = line.slice(12)
    else if (line.startsWith('a=ice-pwd:')) lines.icePwd = line.slice(10)
    else if (line.startsWith('a=setup:')) lines.setup = line.slice(8)
    else if (/^a=fingerprint:sha-256 /i.test(line)) lines.fingerprint = line.slice(22).replaceAll(':', '').toLowerCase()
  }
  return sections === 1 ? lines : undefined
}
