import type { TakeBack } from './types'

/** The last hand-over, offered for undoing until its time is over. */
export class TakeBackOffer {
  readonly #onChange: (offered: TakeBack | null) => void
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(onChange: (offered: TakeBack | null) => void) {
    this.#onChange = onChange
  }

  offer(moved: Omit<TakeBack, 'untilMs'>, undoMs: number): void {
    this.withdraw()
    this.#onChange({ ...moved, untilMs: Date.now() + undoMs })
    this.#timer = setTimeout(() => this.withdraw(), undoMs)
  }

  withdraw(): void {
    if (this.#timer === null) return
    clearTimeout(this.#timer)
    this.#timer = null
    this.#onChange(null)
  }
}
