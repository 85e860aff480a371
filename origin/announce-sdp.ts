import { candidatesPerSignal, sdpLimitBytes } from '../protocol/limits.ts'
import { buildSdp, describeSdp, parseCandidate } from '../protocol/session-description.ts'

export interface SdpRules {
  /** Whether candidates of a visitor's own network pass. */
  readonly lan: boolean
  /** SHA-256 of the certificate that the sender's pass names; undefined where no pass is asked for. */
  readonly fingerprint: string | undefined
}

/**
 * An offer or answer of a foreign client, built anew from what a data channel needs: media, foreign attributes and
 * candidates of private networks do not get through. Undefined where it is no such description, or of another
 * certificate than the pass.
 */
export function rebuildSdp(sdp: string, { lan, fingerprint }: SdpRules): string | undefined {
  if (sdp.length > sdpLimitBytes) return undefined
  const media = sdp.match(/^m=.*$/gm)
  if (media?.length !== 1 || !media[0].startsWith('m=application ')) return undefined
  let description
  try {
    description = describeSdp(sdp)
  } catch {
    return undefined
  }
  if (fingerprint !== undefined && description.fingerprint !== fingerprint) return undefined
  const lines: string[] = []
  for (const [, line = ''] of sdp.matchAll(/^a=(candidate:.*?)\r?$/gm)) {
    const candidate = parseCandidate(line)
    if (candidate && (lan || !candidate.isLocal)) lines.push(`a=${candidate.text}\r\n`)
    if (lines.length === candidatesPerSignal) break
  }
  return `${buildSdp(description)}${lines.join('')}`
}
