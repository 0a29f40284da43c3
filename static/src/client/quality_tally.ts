/** Sums up samples: every few seconds for the server's record, and as figures for a person. */
import type { QualityLevel, QualityReport } from './protocol'
import type { PathSample } from './stats'
import type { ConnectionFigures } from './types'

/** Bounds of the protocol's schema: a clock that jumped must not spoil a whole report. */
const MAX_MS = 60_000
const MAX_SUM_MS = 600_000
const MAX_FREEZES = 1_000
const MAX_PIXELS = 8_192
const MAX_FPS = 240

interface Sums {
  freezes: number
  frozenMs: number
  played: number
  concealed: number
}

const NONE: Sums = { freezes: 0, frozenMs: 0, played: 0, concealed: 0 }

export class QualityTally {
  #sums = NONE
  #last: PathSample | null = null
  #sinceMs: number
  /** Of the span that was reported last. */
  #frozenRatio: number | null = null
  #concealedRatio: number | null = null

  constructor(nowMs: number) {
    this.#sinceMs = nowMs
  }

  add(sample: PathSample): void {
    this.#last = sample
    const slots = sample.slots ?? []
    this.#sums = {
      freezes: this.#sums.freezes + slots.reduce((sum, one) => sum + one.freezes, 0),
      frozenMs: this.#sums.frozenMs + slots.reduce((sum, one) => sum + one.frozenMs, 0),
      played: this.#sums.played + sample.playedSamples,
      concealed: this.#sums.concealed + sample.concealedSamples,
    }
  }

  /** What was measured since the report before; begins anew. */
  report(level: QualityLevel, nowMs: number): QualityReport {
    const spanMs = nowMs - this.#sinceMs
    const { freezes, frozenMs, played, concealed } = this.#sums
    this.#sinceMs = nowMs
    this.#sums = NONE
    this.#frozenRatio = spanMs > 0 && this.#last?.slots ? Math.min(1, frozenMs / spanMs) : null
    this.#concealedRatio = played > 0 ? Math.min(1, concealed / played) : null
    return {
      level,
      span_ms: Math.round(Math.min(MAX_MS, Math.max(0, spanMs))),
      freezes: Math.min(MAX_FREEZES, freezes),
      frozen_ms: Math.min(MAX_SUM_MS, frozenMs),
      concealed_ratio: this.#concealedRatio,
      ...(this.#last && lately(this.#last)),
    }
  }

  /** Null before the first sample; `receivableBps` is the server's estimate. */
  figures(receivableBps: number | null): ConnectionFigures | null {
    if (!this.#last) return null
    const { rttMs, jitterMs, lossUpRatio, lossDownRatio, sentBps, receivedBps } = this.#last
    const { sendableBps, sent, limitedBy, path } = this.#last
    return {
      ...{ rttMs, jitterMs, lossUpRatio, lossDownRatio, sentBps, receivedBps },
      ...{ sendableBps, receivableBps, sent, limitedBy, path },
      frozenRatio: this.#frozenRatio,
      concealedRatio: this.#concealedRatio,
    }
  }
}

function lately(sample: PathSample): Partial<QualityReport> {
  const { sent, slots } = sample
  return {
    rtt_ms: bounded(sample.rttMs, MAX_MS),
    loss_up_ratio: sample.lossUpRatio,
    loss_down_ratio: sample.lossDownRatio,
    jitter_ms: bounded(sample.jitterMs, MAX_MS),
    slots: (slots ?? [])
      .filter(({ frames }) => frames > 0)
      .map(({ mid, width, height, fps }) => ({
        mid,
        width: Math.min(MAX_PIXELS, width),
        height: Math.min(MAX_PIXELS, height),
        fps: Math.min(MAX_FPS, fps),
      })),
    // A phone held upright sends as many lines as a desktop when its shorter side is as long.
    sent_height: sent && Math.min(MAX_PIXELS, sent.width, sent.height),
    sent_fps: sent && Math.min(MAX_FPS, sent.fps),
    limited_by: sample.limitedBy,
    sendable_bps: sample.sendableBps === null ? null : Math.round(Math.max(0, sample.sendableBps)),
    path: sample.path,
  }
}

const bounded = (value: number | null, most: number): number | null =>
  value === null ? null : Math.min(most, Math.max(0, value))
