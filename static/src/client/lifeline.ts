import type { MediaPath } from './media_path'
import { watchNetwork } from './network'
import type { Reports } from './reports'
import type { Signaling } from './signaling'

/** Finds a dead socket at the moments when it may have died, long before it says so itself. */
export class Lifeline {
  readonly #signaling: Signaling
  readonly #media: MediaPath
  readonly #reports: Reports
  #stopWatching: (() => void) | null = null

  constructor(signaling: Signaling, media: MediaPath, reports: Reports) {
    this.#signaling = signaling
    this.#media = media
    this.#reports = reports
  }

  hold(): void {
    this.#stopWatching ??= watchNetwork({
      onChange: () => {
        this.#onReturn()
        if (this.#signaling.up) this.#media.networkChanged()
      },
      onReturn: () => this.#onReturn(),
    })
  }

  letGo(): void {
    this.#stopWatching?.()
    this.#stopWatching = null
  }

  /** A socket that does not answer is replaced without waiting for its death. */
  async check(): Promise<void> {
    if (this.#signaling.up && !(await this.#reports.probe())) this.#signaling.renew()
  }

  #onReturn(): void {
    this.#signaling.retryNow()
    void this.check()
  }
}
