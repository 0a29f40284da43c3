import type { ReactionName } from './protocol'
import type { ShownReaction } from './types'

/** How long a reaction is shown. */
export const SHOWN_MS = 4_000
/** A replayed reaction older than this belongs to a moment that has passed. */
const FRESH_MS = 5_000
const MAX_SHOWN = 24

/** The reactions on the screen now; each goes by itself. */
export class RecentReactions {
  readonly #onChange: () => void
  #shown: ShownReaction[] = []
  #next = 1

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  get shown(): ShownReaction[] {
    return this.#shown
  }

  /** `ageMs`: for how long it has been on the way, by the server's clock. */
  add(from: { id: string; name: string; mine: boolean }, name: ReactionName, ageMs: number): void {
    if (ageMs > FRESH_MS) return
    const id = this.#next++
    const one = { id, participant: from.id, participantName: from.name, name, mine: from.mine }
    this.#shown = [...this.#shown, one].slice(-MAX_SHOWN)
    this.#onChange()
    setTimeout(() => this.#drop(id), SHOWN_MS)
  }

  clear(): void {
    this.#shown = []
  }

  #drop(id: number): void {
    if (!this.#shown.some((one) => one.id === id)) return
    this.#shown = this.#shown.filter((one) => one.id !== id)
    this.#onChange()
  }
}
