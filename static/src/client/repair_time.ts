/**
 * How long what arrives should wait before it is shown, so that what was lost can be sent again
 * in time: by itself a browser waits for late packets, hardly for lost ones, and leaves out frames.
 */
import type { PathSample } from './stats'

/** Shares of lost packets, smoothed, from which and until which it is worth a delay. */
const WORTH_IT = 0.02
const OVER = 0.005
/** From here on requests and what is sent again are lost often enough to need more time. */
const HEAVY = 0.07
/** The packets of a frame do not come all at once, and the loss is noticed by the next. */
const SLACK_MS = 100
/** A request may be lost as well. */
const ROUNDS = 2
const MORE_ROUNDS = 3
/** A talk bears no more. */
const LONGEST_MS = 500
/** A change of less is not worth the change of pace that it is to the ear. */
const STEP_MS = 50
/** Seconds without losses before it goes back. */
const CALM_SECONDS = 10

/** Once a second. */
export class RepairTime {
  #loss = 0
  #calmSeconds = 0
  #targetMs: number | null = null

  /** Milliseconds; null leaves it to the browser. */
  get targetMs(): number | null {
    return this.#targetMs
  }

  /** Returns whether the time changed. */
  take({ lossDownRatio, rttMs }: Pick<PathSample, 'lossDownRatio' | 'rttMs'>): boolean {
    if (lossDownRatio === null || rttMs === null) return false
    this.#loss += (lossDownRatio - this.#loss) / 3
    this.#calmSeconds = this.#loss < OVER ? this.#calmSeconds + 1 : 0
    const next = this.#next(rttMs)
    if (next === this.#targetMs) return false
    this.#targetMs = next
    return true
  }

  #next(rttMs: number): number | null {
    const before = this.#targetMs
    if (this.#calmSeconds >= CALM_SECONDS) return null
    if (this.#loss < WORTH_IT) return before
    const rounds = this.#loss >= HEAVY ? MORE_ROUNDS : ROUNDS
    const needed = Math.min(LONGEST_MS, Math.round(rounds * rttMs + SLACK_MS))
    return before !== null && Math.abs(needed - before) < STEP_MS ? before : needed
  }
}
