import type { Devices } from './devices'
import { GOOD } from './quality'
import { ProblemError, TIMEOUT } from './problem'
import type { Commands } from './protocol'
import type { Requests } from './requests'
import type { Quality } from './types'

const QUALITY_REPORT_MS = 10_000
/** A live line answers within this time; a zombie on the old network never does. */
const PROBE_MS = 2_000

/** What the server is told without anyone asking: what we send, and how good our path is. */
export class Reports {
  readonly #requests: Requests
  readonly #devices: Devices
  #quality: Quality = GOOD
  #qualityAtMs = 0
  #sentMedia = ''
  #probing = false

  constructor(requests: Requests, devices: Devices) {
    this.#requests = requests
    this.#devices = devices
  }

  /** A server that greets us again knows nothing of what was told before. */
  forget(): void {
    this.#sentMedia = ''
  }

  /** Tell which of our devices send; returns whether that is news. */
  media(): boolean {
    const { microphone, camera } = this.#devices.state
    const state = {
      microphone: microphone.on && this.#devices.track('microphone') !== null,
      camera: camera.on && this.#devices.track('camera') !== null,
    }
    const sent = JSON.stringify(state)
    if (sent === this.#sentMedia) return false
    this.#sentMedia = sent
    this.#requests.send('media.state', state).catch(() => (this.#sentMedia = ''))
    return true
  }

  /** Tell at once of another level, else now and then; while offline only keep it. */
  quality(quality: Quality, reachable: boolean): void {
    const changed = quality.level !== this.#quality.level
    this.#quality = quality
    const now = Date.now()
    if (!reachable || (!changed && now - this.#qualityAtMs < QUALITY_REPORT_MS)) return
    this.#qualityAtMs = now
    this.#requests.send('quality.report', this.#body()).catch(() => undefined)
  }

  /** Whether the socket still lives: false if it stays silent. One question at a time. */
  async probe(): Promise<boolean> {
    if (this.#probing) return true
    this.#probing = true
    try {
      await this.#requests.send('quality.report', this.#body(), PROBE_MS)
      return true
    } catch (error) {
      return !(error instanceof ProblemError && error.code === TIMEOUT)
    } finally {
      this.#probing = false
    }
  }

  #body(): Commands['quality.report']['body'] {
    const { level, rttMs, lossRatio } = this.#quality
    return { level, rtt_ms: Math.min(rttMs, 60_000), loss_down_ratio: Math.min(1, lossRatio) }
  }
}
