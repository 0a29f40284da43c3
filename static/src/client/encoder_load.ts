/** How many of the camera's layers this machine can bear, from what its encoder says. */
import { RIDS } from './encodings'

/** The browser shrinks its pictures within a few seconds by itself: one layer less is for longer. */
const SECONDS_TO_SHED = 8
/** So long without trouble before one more is tried; twice as long after each vain try. */
const SECONDS_TO_TRY = 60
const MAX_SECONDS_TO_TRY = 960
/** Trouble so soon after one more was tried comes from it. */
const SECONDS_OF_TRIAL = 40

/** Once a second: whether the encoder was held back by the machine. */
export class EncoderLoad {
  #layers = RIDS.length
  #busySeconds = 0
  #calmSeconds = 0
  #patience = SECONDS_TO_TRY
  #sinceTry = Infinity

  get layers(): number {
    return this.#layers
  }

  /** Returns whether the number of layers changed. */
  take(limitedByCpu: boolean): boolean {
    this.#sinceTry += 1
    // One quiet second among busy ones is no recovery, nor the other way round.
    this.#busySeconds = limitedByCpu ? this.#busySeconds + 1 : Math.max(0, this.#busySeconds - 2)
    this.#calmSeconds = limitedByCpu ? 0 : this.#calmSeconds + 1
    if (this.#busySeconds >= SECONDS_TO_SHED) return this.#shed()
    return this.#calmSeconds >= this.#patience && this.#tryMore()
  }

  #shed(): boolean {
    this.#busySeconds = 0
    if (this.#layers === 1) return false
    if (this.#sinceTry < SECONDS_OF_TRIAL) {
      this.#patience = Math.min(MAX_SECONDS_TO_TRY, this.#patience * 2)
    }
    this.#layers -= 1
    return true
  }

  #tryMore(): boolean {
    this.#calmSeconds = 0
    if (this.#layers === RIDS.length) return false
    this.#sinceTry = 0
    this.#layers += 1
    return true
  }
}
