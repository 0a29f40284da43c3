/** Which text says what is the matter with a connection, and how a figure is written. */
import type { QualityCause, QualityReason } from '../../client/protocol'
import type { Affected, Verdict } from '../../client/types'

const REASONS: Record<QualityReason, string> = {
  none: '',
  unconnected: 'quality.reason.unconnected',
  offline: 'quality.reason.offline',
  loss: 'quality.reason.loss',
  delay: 'quality.reason.delay',
  bandwidth: 'quality.reason.bandwidth',
  cpu: 'quality.reason.cpu',
  overload: 'quality.reason.overload',
}

const EFFECTS: Record<Affected, string> = {
  none: '',
  sending: 'quality.effect.sending',
  receiving: 'quality.effect.receiving',
  both: 'quality.effect.both',
}

/** A connection in a word or two. */
export function wordKey({ level, cause, reason }: Verdict): string {
  if (cause === 'server') return 'quality.busy'
  return reason === 'unconnected' ? 'quality.unconnected' : `quality.${level}`
}

/** The same of another, with their name. */
export function wordOfKey({ level, cause, reason }: Verdict): string {
  if (cause === 'server') return 'quality.serverOf'
  return `quality.of.${reason === 'unconnected' ? reason : level}`
}

/** Empty where there is nothing to say. */
export function reasonKey({ cause, reason }: Verdict): string {
  return cause === 'server' ? REASONS.overload : REASONS[reason]
}

/** Who suffers from it; empty while the path is gone, for then everything does. */
export function effectKey({ level, affects }: Verdict): string {
  return level === 'lost' ? '' : EFFECTS[affects]
}

const PAUSED: Record<QualityCause, string> = {
  none: 'room.soundOnly',
  self: 'room.soundOnlySelf',
  peer: 'room.soundOnlyPeer',
  server: 'room.soundOnlyServer',
}

/** Why there is sound only: by whose connection. */
export const pausedKey = (blame: QualityCause): string => PAUSED[blame]

/** Why there is neither picture nor sound. */
export const cutKey = (blame: QualityCause): string =>
  blame === 'self' ? 'room.cutSelf' : 'room.cutPeer'

export const NOT_MEASURED = '–'

export function milliseconds(value: number | null): string {
  return value === null ? NOT_MEASURED : `${Math.round(value)} ms`
}

/** One decimal below 10 %, where it matters. */
export function percent(ratio: number | null): string {
  if (ratio === null) return NOT_MEASURED
  const value = ratio * 100
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} %`
}

export function bitrate(bps: number | null): string {
  if (bps === null) return NOT_MEASURED
  if (bps < 1_000_000) return `${Math.round(bps / 1000)} kbit/s`
  return `${Math.round(bps / 100_000) / 10} Mbit/s`
}

export function pictureSize(size: { width: number; height: number; fps: number } | null): string {
  return size ? `${size.width}×${size.height} · ${Math.round(size.fps)} fps` : NOT_MEASURED
}
