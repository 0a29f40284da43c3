import type { ReactionName } from '../../client/protocol'

/** In the order in which they are offered; the keys 1 to 4 follow it. */
export const REACTIONS: readonly ReactionName[] = ['like', 'puzzled', 'clap', 'hand']
