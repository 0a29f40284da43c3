import type { Observed } from './types'

/** A state that is replaced, never edited, and whoever listens to its changes. */
export class Observable<State extends object> implements Observed<State> {
  #state: Readonly<State>
  readonly #listeners = new Set<(state: Readonly<State>) => void>()

  constructor(initial: State) {
    this.#state = initial
  }

  get state(): Readonly<State> {
    return this.#state
  }

  /** Returns what ends the subscription. */
  subscribe(listener: (state: Readonly<State>) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  protected update(patch: Partial<State>): void {
    this.#state = { ...this.#state, ...patch }
    for (const listener of [...this.#listeners]) listener(this.#state)
  }
}
