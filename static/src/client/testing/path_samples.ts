import type { PathSample, SlotSample } from '../stats'

/** A second on a path without any fault. */
export const FINE: PathSample = {
  rttMs: 40,
  lossUpRatio: 0,
  lossDownRatio: 0,
  jitterMs: 5,
  sendableBps: 4_000_000,
  sentBps: 1_500_000,
  receivedBps: 1_400_000,
  limitedBy: 'none',
  sent: { width: 1280, height: 720, fps: 24 },
  playedSamples: 48_000,
  concealedSamples: 0,
  arrivedBytes: 50_000,
  path: 'udp',
  slots: [],
}

/** A second of a picture in slot `mid`. */
export const picture = (
  mid: string,
  frames: number,
  more: Partial<SlotSample> = {},
): SlotSample => ({
  mid,
  width: 1280,
  height: 720,
  fps: frames,
  frames,
  freezes: 0,
  frozenMs: 0,
  ...more,
})
