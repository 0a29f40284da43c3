/** Whether pictures come through, slot by slot: what the eye would say, and no sooner. */
import type { SlotSample } from './stats'

/** A picture that stands for so long is called paused; shorter is a freeze that one sees through. */
const STILL_SAMPLES = 3
/** After a pause one frame may be the last for a while: so many samples with frames end it. */
const MOVING_SAMPLES = 2
/** A first picture may take so long before anybody is told that none comes. */
const STARTING_SAMPLES = 6

export type SlotState = 'starting' | 'live' | 'paused'

interface Watched {
  /** Whom the slot shows; another person begins anew. */
  shows: string
  state: SlotState
  /** Samples in a row that speak against the state. */
  against: number
  /** Frames came since it was due: only from then on is a stillness a fault. */
  flows: boolean
  size: { width: number; height: number; fps: number } | null
}

/** What a slot is to show now, and whether anybody looks. */
export interface ShownSlot {
  mid: string
  shows: string
  /** Drawn by us, sent by them and not held back by the server: only then is a picture due. */
  due: boolean
}

export class PictureWatch {
  readonly #watched = new Map<string, Watched>()

  /**
   * Once a second: what was drawn since; null from a browser that does not tell slots apart.
   * Returns the samples as they count: a browser takes a picture that was not due, or that begins
   * again, for a long freeze.
   */
  take(samples: readonly SlotSample[] | null, slots: readonly ShownSlot[]): SlotSample[] | null {
    for (const mid of this.#watched.keys()) {
      if (!slots.some((slot) => slot.mid === mid)) this.#watched.delete(mid)
    }
    const flowed = slots.filter((slot) => this.#look(slot, samples)).map(({ mid }) => mid)
    return (
      samples?.map((one) =>
        flowed.includes(one.mid) ? one : { ...one, freezes: 0, frozenMs: 0 },
      ) ?? null
    )
  }

  /** Returns whether the picture was due and flowing all the while. */
  #look(slot: ShownSlot, samples: readonly SlotSample[] | null): boolean {
    const before = this.#watched.get(slot.mid)
    const watched = before?.shows === slot.shows ? before : begin(slot.shows)
    this.#watched.set(slot.mid, watched)
    const flowed = watched.flows && slot.due
    const sample = samples?.find(({ mid }) => mid === slot.mid)
    if (samples && slot.due) look(watched, sample)
    if (!slot.due) {
      watched.against = 0
      watched.flows = false
    }
    return flowed
  }

  state(mid: string, shows: string): SlotState {
    const watched = this.#watched.get(mid)
    return watched?.shows === shows ? watched.state : 'starting'
  }

  size(mid: string, shows: string): Watched['size'] {
    const watched = this.#watched.get(mid)
    return watched?.shows === shows ? watched.size : null
  }

  clear(): void {
    this.#watched.clear()
  }
}

function begin(shows: string): Watched {
  return { shows, state: 'starting', against: 0, flows: false, size: null }
}

/** Without a sample not one packet has come yet. */
function look(watched: Watched, sample: SlotSample | undefined): void {
  const moves = sample !== undefined && sample.frames > 0
  if (moves) watched.size = { width: sample.width, height: sample.height, fps: sample.fps }
  watched.flows ||= moves
  const contradicts = watched.state === 'paused' ? moves : !moves
  watched.against = contradicts ? watched.against + 1 : 0
  const next = nextState(watched, moves)
  if (next !== watched.state) watched.against = 0
  watched.state = next
}

function nextState({ state, against }: Watched, moves: boolean): SlotState {
  if (state === 'starting') {
    if (moves) return 'live'
    return against >= STARTING_SAMPLES ? 'paused' : state
  }
  if (state === 'live') return against >= STILL_SAMPLES ? 'paused' : state
  return against >= MOVING_SAMPLES ? 'live' : state
}
