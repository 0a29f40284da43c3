/** User Timing marks of a visit, which benchmarks and field reports read. */

export type Milestone =
  | 'join.tap'
  | 'join.redeemed'
  | 'join.welcome'
  | 'join.answer'
  | 'join.connected'
  | 'place'
  | 'picture.due'
  | 'frame.first'
  | 'ice.restart'
  | 'media.rebuild'
  | 'signaling.lost'
  | 'signaling.back'

const MAX_MARKS = 500
let marks = 0
/** When each milestone was first reached since the last tap, in ms. */
let reached: Partial<Record<Milestone, number>> = {}

/** Note a milestone as `mianshi.<name>`; a long visit stops noting rather than filling memory. */
export function mark(milestone: Milestone, detail?: Record<string, string | number>): void {
  if (milestone === 'join.tap') reached = {}
  reached[milestone] ??= performance.now()
  if (++marks > MAX_MARKS) return
  const name = `mianshi.${milestone}`
  try {
    performance.mark(name, { detail })
  } catch {
    // Old kernels know no options: the time alone is worth having.
    performance.mark(name)
  }
}

/** Note only the first since the tap of what happens again and again. */
export function markFirst(milestone: Milestone): void {
  if (reached[milestone] === undefined) mark(milestone)
}

/** From the tap to a media path that stands; null before. */
export function joinMs(): number | null {
  return spanMs(reached['join.tap'], reached['join.connected'])
}

/** To the first picture, from the tap or from when somebody was there to be seen; null before. */
export function firstFrameMs(): number | null {
  const { 'join.tap': tap, 'join.welcome': welcome, 'picture.due': due } = reached
  if (tap === undefined || due === undefined) return null
  // Whom the welcome shows was there already when we tapped.
  const waited = welcome === undefined || due > welcome
  return spanMs(waited ? due : tap, reached['frame.first'])
}

function spanMs(from: number | undefined, to: number | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.max(0, Math.round(to - from))
}
