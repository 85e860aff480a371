/**
 * Picks up to `count` of a swarm, each with the same chance, in time that depends on `count` and not on the swarm:
 * a partial shuffle that stops early, and gives up after so many that may not be picked.
 *
 * @param random a number from 0 up to but not 1
 */
export function pickPeers<Peer>(
  swarm: readonly Peer[],
  count: number,
  mayPick: (peer: Peer) => boolean,
  random: () => number,
): Peer[] {
  const picked: Peer[] = []
  // Where the shuffle has moved what stood at the front: the swarm itself stays as it is.
  const moved = new Map<number, number>()
  const looks = Math.min(swarm.length, looksPerPick * count + looksAtLeast)
  for (let at = 0; at < looks && picked.length < count; at += 1) {
    const drawn = at + Math.floor(random() * (swarm.length - at))
    const peer = swarm[moved.get(drawn) ?? drawn]
    moved.set(drawn, moved.get(at) ?? at)
    if (peer !== undefined && mayPick(peer)) picked.push(peer)
  }
  return picked
}

const looksPerPick = 8
const looksAtLeast = 64
