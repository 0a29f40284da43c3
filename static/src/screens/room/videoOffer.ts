/** When to offer that our camera be switched off for the voice's sake, and on again after. */
import type { Quality } from '../../client/types'

export type Offer = 'none' | 'off' | 'on'

/** A network that has been good for so long may bear the picture again. */
const GOOD_SECONDS = 10

/** Asked once a second. Who said no is not asked again while the trouble lasts. */
export class VideoOffer {
  #offer: Offer = 'none'
  #declined = false
  /** The camera is off because we offered it. */
  #byUs = false
  #goodSinceMs: number | null = null

  get offer(): Offer {
    return this.#offer
  }

  take(quality: Quality, cameraOn: boolean, nowMs: number): Offer {
    const good = quality.level === 'good'
    this.#goodSinceMs = good ? (this.#goodSinceMs ?? nowMs) : null
    const seconds = this.#goodSinceMs === null ? 0 : (nowMs - this.#goodSinceMs) / 1000
    if (seconds >= GOOD_SECONDS) this.#declined = false
    if (cameraOn) this.#byUs = false
    this.#offer = this.#next(quality, cameraOn, seconds)
    return this.#offer
  }

  /** The camera was switched off on our offer. */
  accepted(): void {
    this.#byUs = this.#offer === 'off'
    this.#offer = 'none'
  }

  declined(): void {
    if (this.#offer === 'off') this.#declined = true
    else this.#byUs = false
    this.#offer = 'none'
  }

  #next(quality: Quality, cameraOn: boolean, goodSeconds: number): Offer {
    if (!cameraOn) return this.#byUs && goodSeconds >= GOOD_SECONDS ? 'on' : 'none'
    if (quality.level === 'good' || quality.level === 'fair' || this.#declined) return 'none'
    // Once shown it stays until it is answered or the worst is over: no flicker.
    return this.#offer === 'off' || quality.advice === 'video_off' ? 'off' : 'none'
  }
}
