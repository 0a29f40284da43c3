import type { Devices } from './devices'
import { ProblemError, TIMEOUT } from './problem'
import type { QualityLevel, QualityReport } from './protocol'
import { QualityTally } from './quality_tally'
import type { Requests } from './requests'
import type { PathSample } from './stats'
import { firstFrameMs, joinMs } from './timeline'
import type { ConnectionFigures } from './types'

const QUALITY_REPORT_MS = 5_000
/** Whatever flickers: between two reports there is at least this time. */
const BETWEEN_REPORTS_MS = 1_000
/** A live line answers within this time; a zombie on the old network never does. */
const PROBE_MS = 2_000
/** Bound of the protocol's schema. */
const MAX_JOIN_MS = 600_000

/** What the server is told without anyone asking: what we send, and how good our path is. */
export class Reports {
  readonly #requests: Requests
  readonly #devices: Devices
  #level: QualityLevel = 'good'
  #tally = new QualityTally(Date.now())
  #reportedAtMs = 0
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

  /** Another visit, or another connection: what was measured before is not of it. */
  begin(): void {
    this.#tally = new QualityTally(Date.now())
    this.#level = 'good'
  }

  measured(sample: PathSample): void {
    this.#tally.add(sample)
  }

  figures(receivableBps: number | null): ConnectionFigures | null {
    return this.#tally.figures(receivableBps)
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
  quality(level: QualityLevel, reachable: boolean): void {
    const now = Date.now()
    const since = now - this.#reportedAtMs
    const due = level === this.#level ? QUALITY_REPORT_MS : BETWEEN_REPORTS_MS
    if (!reachable || since < due) return
    this.#level = level
    this.#reportedAtMs = now
    const report: QualityReport = {
      ...this.#tally.report(level, now),
      join_ms: atMost(joinMs(), MAX_JOIN_MS),
      first_frame_ms: atMost(firstFrameMs(), MAX_JOIN_MS),
    }
    this.#requests.send('quality.report', report).catch(() => undefined)
  }

  /** Whether the socket still lives: false if it stays silent. One question at a time. */
  async probe(): Promise<boolean> {
    if (this.#probing) return true
    this.#probing = true
    try {
      await this.#requests.send('quality.report', { level: this.#level }, PROBE_MS)
      return true
    } catch (error) {
      return !(error instanceof ProblemError && error.code === TIMEOUT)
    } finally {
      this.#probing = false
    }
  }
}

const atMost = (value: number | null, most: number): number | null =>
  value === null ? null : Math.min(most, value)
