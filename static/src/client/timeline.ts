/** User Timing marks of a visit, which benchmarks and field reports read. */

export type Milestone =
  | 'join.tap'
  | 'join.redeemed'
  | 'join.welcome'
  | 'join.answer'
  | 'join.connected'
  | 'place'
  | 'frame.first'
  | 'ice.restart'
  | 'media.rebuild'
  | 'signaling.lost'
  | 'signaling.back'

const MAX_MARKS = 500
let marks = 0

/** Note a milestone as `mianshi.<name>`; a long visit stops noting rather than filling memory. */
export function mark(milestone: Milestone, detail?: Record<string, string | number>): void {
  if (++marks > MAX_MARKS) return
  const name = `mianshi.${milestone}`
  try {
    performance.mark(name, { detail })
  } catch {
    // Old kernels know no options: the time alone is worth having.
    performance.mark(name)
  }
}
