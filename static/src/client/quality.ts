/** From samples of the path to a mark that a person understands, and advice that helps. */
import type { QualityLevel } from './protocol'
import type { PathSample } from './stats'
import type { Quality, QualityAdvice, QualityCause } from './types'

/** Poor as in Microsoft's call quality data: RTT over 500 ms, loss over 10 %, jitter over 30 ms. */
const POOR = { rttMs: 500, lossRatio: 0.1, jitterMs: 100, sendableBps: 100_000 }
/** Interaction suffers well below that; ITU-T G.114 asks for 150 ms one way. */
const FAIR = { rttMs: 250, lossRatio: 0.03, jitterMs: 40, sendableBps: 300_000 }

/** Samples, one a second, in a row before the mark goes up; a fall shows after fewer. */
const SAMPLES_TO_RISE = 3
const SAMPLES_TO_FALL = 2
/** Poor for so many samples: what we advised has not helped. */
const SAMPLES_TO_CALL_HR = 30
/** Away for so long, and another network did not help: perhaps the page is at fault. */
const SAMPLES_TO_REFRESH = 12

const RANK: Record<QualityLevel, number> = { lost: 0, poor: 1, fair: 2, good: 3 }

export const GOOD: Quality = {
  level: 'good',
  advice: 'none',
  cause: 'none',
  rttMs: 0,
  lossRatio: 0,
}

/** Keeps the mark steady: one bad sample is an accident, two are a fact. */
export class QualityJudge {
  #quality = GOOD
  #streak = 0
  #streakLevel: QualityLevel = 'good'
  #badSamples = 0
  #smoothedRttMs: number | null = null

  get quality(): Quality {
    return this.#quality
  }

  /** The path is gone, which needs no second opinion; told again at each turn of the clock. */
  lost(): Quality {
    this.#badSamples++
    return this.#set('lost', 'offline', 0, 1)
  }

  take(sample: PathSample): Quality {
    if (sample.rttMs !== null) {
      const before = this.#smoothedRttMs ?? sample.rttMs
      this.#smoothedRttMs = before + (sample.rttMs - before) / 2
    }
    const rttMs = this.#smoothedRttMs ?? 0
    const { level, cause } = judge(sample, rttMs)
    this.#badSamples = RANK[level] <= RANK.poor ? this.#badSamples + 1 : 0
    this.#streak = level === this.#streakLevel ? this.#streak + 1 : 1
    this.#streakLevel = level
    const shown = this.#isConfirmed(level)
      ? { level, cause }
      : { level: this.#quality.level, cause: this.#quality.cause }
    return this.#set(shown.level, shown.cause, rttMs, sample.lossRatio)
  }

  #isConfirmed(level: QualityLevel): boolean {
    if (this.#quality.level === 'lost') return true
    const falls = RANK[level] < RANK[this.#quality.level]
    return this.#streak >= (falls ? SAMPLES_TO_FALL : SAMPLES_TO_RISE)
  }

  #set(level: QualityLevel, cause: QualityCause, rttMs: number, lossRatio: number): Quality {
    const advice = advise(level, cause, this.#badSamples)
    this.#quality = { level, cause, advice, rttMs: Math.round(rttMs), lossRatio }
    return this.#quality
  }
}

function judge(sample: PathSample, rttMs: number): { level: QualityLevel; cause: QualityCause } {
  const poor = worst(sample, rttMs, POOR)
  if (poor) return { level: 'poor', cause: poor }
  const fair = worst(sample, rttMs, FAIR)
  if (fair) return { level: 'fair', cause: fair }
  return sample.cpuLimited ? { level: 'fair', cause: 'cpu' } : { level: 'good', cause: 'none' }
}

function worst(sample: PathSample, rttMs: number, limit: typeof POOR): QualityCause | null {
  if (sample.lossRatio > limit.lossRatio) return 'loss'
  if (rttMs > limit.rttMs || sample.jitterMs > limit.jitterMs) return 'delay'
  if (sample.sendableBps !== null && sample.sendableBps < limit.sendableBps) return 'bandwidth'
  return null
}

/** Another network first, then a fresh page, then a person. */
function advise(level: QualityLevel, cause: QualityCause, badSamples: number): QualityAdvice {
  if (level === 'good' || level === 'fair') return 'none'
  if (badSamples >= SAMPLES_TO_CALL_HR) return 'call_hr'
  return cause === 'offline' && badSamples >= SAMPLES_TO_REFRESH ? 'refresh' : 'switch_network'
}
