/** From samples of our path to a verdict that does not flicker. */
import type { QualityLevel, QualityReason } from './protocol'
import type { PathSample } from './stats'
import type { Affected, Verdict } from './types'

interface Limits {
  rttMs: number
  lossRatio: number
  jitterMs: number
  sendableBps: number
}

/** Poor as in Microsoft's call quality data: RTT over 500 ms, loss over 10 %. */
const POOR: Limits = { rttMs: 500, lossRatio: 0.1, jitterMs: 100, sendableBps: 100_000 }
/** Interaction suffers well below that; ITU-T G.114 asks for 150 ms one way. */
const FAIR: Limits = { rttMs: 250, lossRatio: 0.03, jitterMs: 40, sendableBps: 300_000 }

/** Samples, one a second, in a row before the mark goes up; a fall shows after fewer. */
const SAMPLES_TO_RISE = 3
const SAMPLES_TO_FALL = 2

export const RANK: Record<QualityLevel, number> = { lost: 0, poor: 1, fair: 2, good: 3 }

export const GOOD: Verdict = { level: 'good', cause: 'none', reason: 'none', affects: 'none' }

const LOST: Verdict = { level: 'lost', cause: 'self', reason: 'offline', affects: 'both' }

const UNCONNECTED: Verdict = {
  level: 'lost',
  cause: 'none',
  reason: 'unconnected',
  affects: 'both',
}

interface Fault {
  reason: QualityReason
  affects: Affected
}

/** Keeps the mark steady: one bad sample is an accident, two are a fact. */
export class QualityJudge {
  #verdict = GOOD
  #streak = 0
  #latest = GOOD
  #smoothedRttMs: number | null = null

  get verdict(): Verdict {
    return this.#verdict
  }

  /** The path is gone, which needs no second opinion. */
  lost(): Verdict {
    this.#streak = 0
    this.#verdict = LOST
    return LOST
  }

  /** The path was never there, and is overdue. */
  unconnected(): Verdict {
    this.#verdict = UNCONNECTED
    return UNCONNECTED
  }

  take(sample: PathSample): Verdict {
    if (sample.rttMs !== null) {
      const before = this.#smoothedRttMs ?? sample.rttMs
      this.#smoothedRttMs = before + (sample.rttMs - before) / 2
    }
    const verdict = judge(sample, this.#smoothedRttMs ?? 0)
    this.#streak = this.#goesOn(verdict) ? this.#streak + 1 : 1
    this.#latest = verdict
    if (this.#isConfirmed(verdict.level)) this.#verdict = verdict
    return this.#verdict
  }

  /** Another level is one streak whatever it comes from; at the same level the words count, too. */
  #goesOn(verdict: Verdict): boolean {
    if (verdict.level !== this.#latest.level) return false
    return verdict.level !== this.#verdict.level || sameWords(verdict, this.#latest)
  }

  #isConfirmed(level: QualityLevel): boolean {
    if (this.#verdict.level === 'lost') return true
    const falls = RANK[level] < RANK[this.#verdict.level]
    return this.#streak >= (falls ? SAMPLES_TO_FALL : SAMPLES_TO_RISE)
  }
}

const sameWords = (one: Verdict, other: Verdict): boolean =>
  one.reason === other.reason && one.affects === other.affects

function judge(sample: PathSample, rttMs: number): Verdict {
  const poor = worst(sample, rttMs, POOR)
  if (poor) return { level: 'poor', cause: 'self', ...poor }
  const fair = worst(sample, rttMs, FAIR)
  if (fair) return { level: 'fair', cause: 'self', ...fair }
  if (sample.limitedBy !== 'cpu') return GOOD
  return { level: 'fair', cause: 'self', reason: 'cpu', affects: 'sending' }
}

function worst(sample: PathSample, rttMs: number, limit: Limits): Fault | null {
  const up = (sample.lossUpRatio ?? 0) > limit.lossRatio
  const down = (sample.lossDownRatio ?? 0) > limit.lossRatio
  // Whatever the chief reason: what we send has no room here.
  const narrow = sample.sendableBps !== null && sample.sendableBps < limit.sendableBps
  if (up || down) return { reason: 'loss', affects: bothWays(up || narrow, down) }
  if (rttMs > limit.rttMs) return { reason: 'delay', affects: 'both' }
  if ((sample.jitterMs ?? 0) > limit.jitterMs) {
    return { reason: 'delay', affects: bothWays(narrow, true) }
  }
  return narrow ? { reason: 'bandwidth', affects: 'sending' } : null
}

function bothWays(sending: boolean, receiving: boolean): Affected {
  if (sending && receiving) return 'both'
  return sending ? 'sending' : 'receiving'
}
