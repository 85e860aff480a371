import type { PeeringOptions } from './peering.ts'
import { Peering } from './peering.ts'

/*
 * What connects to others, in a file of its own: only a device whose visitor agreed pays for it, in the one tab that
 * holds the connections.
 */

/** The part that a tab needs. It and what it is made of are also what two files of one deploy agree on. */
export type RunningPeering = Pick<Peering, 'status' | 'start' | 'relink' | 'limitUpload' | 'stop'>

export type CreatePeering = (options: PeeringOptions) => RunningPeering

export const createPeering: CreatePeering = (options) => new Peering(options)
