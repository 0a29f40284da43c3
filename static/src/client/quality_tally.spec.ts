import { expect, test } from 'vitest'

import { QualityTally } from './quality_tally'
import { FINE, picture } from './testing/path_samples'

test('a report covers what happened since the one before', () => {
  const tally = new QualityTally(1_000)
  tally.add({ ...FINE, slots: [picture('6', 20, { freezes: 1, frozenMs: 400 })] })
  tally.add({ ...FINE, concealedSamples: 960, slots: [picture('6', 24)] })
  expect(tally.report('fair', 3_000)).toEqual({
    level: 'fair',
    span_ms: 2_000,
    rtt_ms: 40,
    loss_up_ratio: 0,
    loss_down_ratio: 0,
    jitter_ms: 5,
    freezes: 1,
    frozen_ms: 400,
    concealed_ratio: 0.01,
    slots: [{ mid: '6', width: 1280, height: 720, fps: 24 }],
    sent_height: 720,
    sent_fps: 24,
    limited_by: 'none',
    sendable_bps: 4_000_000,
    path: 'udp',
  })
  expect(tally.report('fair', 4_000)).toMatchObject({ span_ms: 1_000, freezes: 0, frozen_ms: 0 })
})

test('slots that draw nothing are not listed; a phone held upright is as sharp as its width', () => {
  const tally = new QualityTally(0)
  const sent = { width: 720, height: 1280, fps: 24 }
  tally.add({ ...FINE, sent, slots: [picture('6', 0), picture('7', 5)] })
  const report = tally.report('good', 1_000)
  expect(report.slots?.map(({ mid }) => mid)).toEqual(['7'])
  expect(report.sent_height).toBe(720)
})

test('before anything was measured there is nothing to tell or to show', () => {
  const tally = new QualityTally(0)
  expect(tally.figures(null)).toBeNull()
  expect(tally.report('good', 500)).toEqual({
    level: 'good',
    span_ms: 500,
    freezes: 0,
    frozen_ms: 0,
    concealed_ratio: null,
  })
})

test('whatever a browser says, a report keeps within the bounds of the protocol', () => {
  const tally = new QualityTally(1_000_000)
  const mad = picture('6', 9, { width: 1e6, height: 1e6, fps: 1e6, freezes: 1e6, frozenMs: 1e9 })
  tally.add({
    ...FINE,
    rttMs: 1e9,
    jitterMs: -3,
    sendableBps: -5,
    concealedSamples: 1e9,
    slots: [mad],
  })
  const report = tally.report('poor', 9_000_000)
  expect(report).toMatchObject({ span_ms: 60_000, rtt_ms: 60_000, jitter_ms: 0, sendable_bps: 0 })
  expect(report).toMatchObject({ freezes: 1_000, frozen_ms: 600_000, concealed_ratio: 1 })
  expect(report.slots).toEqual([{ mid: '6', width: 8_192, height: 8_192, fps: 240 }])
  expect(tally.report('poor', 0).span_ms).toBe(0) // the clock was set back
})

test('figures: the last second, and shares of the last span', () => {
  const tally = new QualityTally(0)
  tally.add({ ...FINE, slots: [picture('6', 9, { frozenMs: 500 })] })
  expect(tally.figures(900_000)).toMatchObject({ frozenRatio: null, receivableBps: 900_000 })
  tally.report('good', 5_000)
  expect(tally.figures(null)).toMatchObject({ rttMs: 40, frozenRatio: 0.1, concealedRatio: 0 })
})
