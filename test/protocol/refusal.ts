import { ProtocolError } from '../../protocol/errors.ts'
import type { ProtocolErrorCode } from '../../protocol/errors.ts'

/** The code of the ProtocolError that `act` ends in, or `accepted`. Anything else that is thrown rises. */
export function refusalOf(act: () => unknown): ProtocolErrorCode | 'accepted' {
  try {
    act()
    return 'accepted'
  } catch (error) {
    return codeOf(error)
  }
}

export async function laterRefusalOf(act: () => Promise<unknown>): Promise<ProtocolErrorCode | 'accepted'> {
  try {
    await act()
    return 'accepted'
  } catch (error) {
    return codeOf(error)
  }
}

function codeOf(error: unknown): ProtocolErrorCode {
  if (error instanceof ProtocolError) return error.code
  throw error
}
