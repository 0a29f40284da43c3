/** What our own measurements and the server's say together, and the step that helps most. */
import type { QualityCause, QualityChanged, QualityLevel, QualityReason } from './protocol'
import { GOOD, RANK } from './quality'
import type { PeerQuality, Quality, QualityAdvice, Verdict } from './types'

/** The server repeats what is not good every 10 s: what it has not repeated is over. */
const TOLD_KEEPS_MS = 25_000
/**
 * The server smooths what it measures: a loss or delay that we have not seen for so long is over,
 * though it has not said so yet.
 */
const SECONDS_TO_KNOW_BETTER = 8
const SEEN_BY_OURSELVES = new Set<QualityReason>(['loss', 'delay'])
/**
 * What comes with gaps may have had them before it reached the server, which alone can tell: it
 * needs two of its samples. Until then nobody is blamed.
 */
const SECONDS_TO_BE_TOLD = 6
/** Sending poorly for so long: the picture costs the voice. */
const SECONDS_TO_VIDEO_OFF = 6
/** Poor for so long: what we advised has not helped. */
const SECONDS_TO_CALL_HR = 30
/** Away for so long, and another network did not help: perhaps the page is at fault. */
const SECONDS_TO_REFRESH = 12

/** What the person could still do about it. */
export interface Means {
  saving: boolean
  cameraOn: boolean
}

const FINE: PeerQuality = { ...GOOD, facts: null }

/** One truth about us and about the others, from what was measured here and there. */
export class Diagnosis {
  readonly #told = new Map<string, { quality: PeerQuality; atMs: number }>()
  #poorSinceMs: number | null = null
  /** Since when we have seen neither loss nor delay ourselves. */
  #cleanSinceMs: number | null = null
  /** Since when what we receive, and nothing else, suffers. */
  #receivesBadlySinceMs: number | null = null

  /** The server's word on a participant, maybe on ourselves. */
  hear({ participant, grade, cause, reason, affects, facts }: QualityChanged, nowMs: number): void {
    const quality = { level: grade, cause, reason, affects, facts }
    this.#told.set(participant, { quality, atMs: nowMs })
  }

  /** Another connection to the server: it tells anew what is not good. */
  forget(): void {
    this.#told.clear()
  }

  /** Another visit. */
  clear(): void {
    this.#told.clear()
    this.#poorSinceMs = null
    this.#cleanSinceMs = null
    this.#receivesBadlySinceMs = null
  }

  /** Ourselves: the worse of both views. A path that is gone only we can see. */
  own(measured: Verdict, me: string, means: Means, nowMs: number): Quality {
    const clean = measured.level !== 'lost' && !SEEN_BY_OURSELVES.has(measured.reason)
    this.#cleanSinceMs = clean ? (this.#cleanSinceMs ?? nowMs) : null
    const verdict = worse(this.#ours(measured, me, nowMs), this.#believed(me, nowMs))
    const poor = RANK[verdict.level] <= RANK.poor
    this.#poorSinceMs = poor ? (this.#poorSinceMs ?? nowMs) : null
    const seconds = (nowMs - (this.#poorSinceMs ?? nowMs)) / 1000
    return { ...verdict, advice: advise(verdict, means, seconds) }
  }

  /** What we measured, unless it may be, or is, the doing of those who send to us. */
  #ours(measured: Verdict, me: string, nowMs: number): Verdict {
    const { affects, reason } = measured
    const received = affects === 'receiving' && SEEN_BY_OURSELVES.has(reason)
    this.#receivesBadlySinceMs = received ? (this.#receivesBadlySinceMs ?? nowMs) : null
    if (this.#receivesBadlySinceMs === null) return measured
    const told = nowMs - this.#receivesBadlySinceMs >= SECONDS_TO_BE_TOLD * 1000
    return told && !this.#somebodySendsBadly(me, nowMs) ? measured : GOOD
  }

  #somebodySendsBadly(me: string, nowMs: number): boolean {
    return [...this.#told.keys()].some((participant) => {
      const { cause, affects } = this.told(participant, nowMs)
      return participant !== me && cause === 'peer' && affects !== 'receiving'
    })
  }

  /** The server's word on ourselves, unless we know better by now. */
  #believed(me: string, nowMs: number): Verdict {
    const told = this.told(me, nowMs)
    // Our own connection's state says that first, and when it is over.
    if (told.reason === 'unconnected') return GOOD
    const cleanSeconds = (nowMs - (this.#cleanSinceMs ?? nowMs)) / 1000
    const over = told.cause === 'self' && SEEN_BY_OURSELVES.has(told.reason)
    return over && cleanSeconds >= SECONDS_TO_KNOW_BETTER ? GOOD : told
  }

  /** Another; `shown` is the level that the room's list gives. */
  peer(participant: string, shown: QualityLevel, nowMs: number): PeerQuality {
    const told = this.told(participant, nowMs)
    if (told.level === shown) return told
    if (shown === 'good') return { ...FINE, facts: told.facts }
    return { level: shown, cause: 'peer', reason: told.reason, affects: 'both', facts: told.facts }
  }

  told(participant: string, nowMs: number): PeerQuality {
    const told = this.#told.get(participant)
    if (!told) return FINE
    const stale = told.quality.level !== 'good' && nowMs - told.atMs > TOLD_KEEPS_MS
    return stale ? FINE : told.quality
  }
}

function worse(measured: Verdict, { level, cause, reason, affects }: Verdict): Verdict {
  const told = { level, cause, reason, affects }
  if (RANK[level] < RANK[measured.level]) return told
  // At the same level the server knows better whether it is at fault itself.
  return level === measured.level && cause === 'server' ? told : measured
}

/** Whether their media never came to stand: no picture and no sound, either way. */
export const isUnconnected = ({ reason }: Verdict): boolean => reason === 'unconnected'

/** Whose connection keeps a picture away; `none`: that cannot be told. */
export function blame(own: Verdict, theirs: Verdict): QualityCause {
  if (isUnconnected(own)) return 'self'
  if (isUnconnected(theirs)) return 'peer'
  if (theirs.cause === 'server' || own.cause === 'server') return 'server'
  const receives = own.affects === 'receiving' || own.affects === 'both'
  const sends = theirs.affects === 'sending' || theirs.affects === 'both'
  if (!receives && !sends) return 'none'
  if (receives && sends) return RANK[own.level] < RANK[theirs.level] ? 'self' : 'peer'
  return receives ? 'self' : 'peer'
}

function advise(verdict: Verdict, means: Means, poorSeconds: number): QualityAdvice {
  if (verdict.level === 'good') return 'none'
  if (verdict.cause === 'server') return 'wait'
  if (poorSeconds >= SECONDS_TO_CALL_HR) return 'call_hr'
  if (verdict.level === 'lost') {
    return poorSeconds >= SECONDS_TO_REFRESH ? 'refresh' : 'switch_network'
  }
  if (verdict.reason === 'cpu') return 'close_apps'
  return verdict.level === 'fair' ? easily(verdict, means) : firmly(verdict, means, poorSeconds)
}

/** The call goes on well enough: a step that costs nothing. */
function easily({ reason }: Verdict, { saving }: Means): QualityAdvice {
  return reason === 'bandwidth' && !saving ? 'data_saver' : 'move_closer'
}

function firmly({ reason, affects }: Verdict, means: Means, poorSeconds: number): QualityAdvice {
  const sends = affects === 'sending' || affects === 'both'
  const crowded = reason === 'bandwidth' || reason === 'loss'
  if (crowded && sends && means.cameraOn && poorSeconds >= SECONDS_TO_VIDEO_OFF) return 'video_off'
  return reason === 'bandwidth' && !means.saving ? 'data_saver' : 'switch_network'
}
