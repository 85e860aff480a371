import { realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'

/** Where a place really is, or will be once it is made: links are followed as far as the path exists. */
export async function realPlace(place: string): Promise<string> {
  try {
    return await realpath(place)
  } catch (error) {
    const parent = dirname(place)
    if (parent === place) throw error
    return join(await realPlace(parent), basename(place))
  }
}

/** The segments from a folder down to a place in it, none for the folder itself; undefined where it lies outside. */
export function segmentsBelow(folder: string, place: string): readonly string[] | undefined {
  const below = relative(folder, place)
  if (below === '') return []
  const segments = below.split(sep)
  // Another drive of Windows gives an absolute path.
  return segments[0] === '..' || isAbsolute(below) ? undefined : segments
}
