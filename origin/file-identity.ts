import type { BigIntStats } from 'node:fs'

/**
 * Says whether a file is still the one that was read: size, both times, inode. The change time is among them
 * because nobody can set it back; a tool that keeps the modification time is noticed all the same.
 */
export function identityOf(stats: BigIntStats): string {
  return `${stats.size}-${stats.mtimeNs}-${stats.ctimeNs}-${stats.ino}`
}

/**
 * Whether a later change of the file is sure to change its identity. Some file systems keep whole seconds only:
 * there a file of this very second may be written again and look the same.
 *
 * @param now seconds since 1970
 */
export function isSettled(identity: string, now: number): boolean {
  const changedNs = BigInt(identity.split('-')[2] ?? '0')
  const second = 1_000_000_000n
  return changedNs % second !== 0n || Number(changedNs / second) + 2 < now
}
