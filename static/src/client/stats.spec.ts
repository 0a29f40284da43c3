import { expect, test } from 'vitest'

import { StatsReader } from './stats'

const report = (...entries: Record<string, unknown>[]): RTCStatsReport =>
  new Map(entries.map((entry, index) => [String(index), entry])) as unknown as RTCStatsReport

const inbound = (
  packetsReceived: number,
  packetsLost: number,
  jitter = 0,
): Record<string, unknown> => ({
  type: 'inbound-rtp',
  packetsReceived,
  packetsLost,
  jitter,
})

test('loss is that between two reports, not of the whole visit', () => {
  const reader = new StatsReader()
  expect(reader.read(report(inbound(1000, 400))).lossRatio).toBe(0)
  expect(reader.read(report(inbound(1090, 410))).lossRatio).toBeCloseTo(0.1)
  expect(reader.read(report(inbound(1190, 410)))).toMatchObject({ lossRatio: 0 })
})

test('a duplicate makes the lost count shrink, which is no loss', () => {
  const reader = new StatsReader()
  reader.read(report(inbound(100, 10)))
  expect(reader.read(report(inbound(120, 5))).lossRatio).toBe(0)
})

test('the worse way counts', () => {
  const uplink = { type: 'remote-inbound-rtp', fractionLost: 0.25 }
  expect(new StatsReader().read(report(inbound(10, 0), uplink)).lossRatio).toBe(0.25)
})

test('the path in use gives round trip and estimate', () => {
  const sample = new StatsReader().read(
    report(
      { type: 'candidate-pair', state: 'failed', currentRoundTripTime: 9 },
      {
        type: 'candidate-pair',
        state: 'succeeded',
        nominated: true,
        currentRoundTripTime: 0.08,
        availableOutgoingBitrate: 900_000,
      },
      { type: 'outbound-rtp', qualityLimitationReason: 'cpu' },
      inbound(5, 0, 0.03),
    ),
  )
  expect(sample).toMatchObject({ rttMs: 80, sendableBps: 900_000, cpuLimited: true, jitterMs: 30 })
})

test('an empty report is no opinion', () => {
  expect(new StatsReader().read(report())).toEqual({
    rttMs: null,
    lossRatio: 0,
    jitterMs: 0,
    sendableBps: null,
    cpuLimited: false,
    arrivedBytes: 0,
  })
})

test('what came over the path is counted between two reports', () => {
  const pair = (bytesReceived: number): Record<string, unknown> => ({
    type: 'candidate-pair',
    bytesReceived,
  })
  const reader = new StatsReader()
  expect(reader.read(report(pair(700))).arrivedBytes).toBe(0)
  expect(reader.read(report(pair(1000))).arrivedBytes).toBe(300)
  expect(reader.read(report(pair(1000))).arrivedBytes).toBe(0)
  expect(reader.read(report(pair(10))).arrivedBytes).toBe(0)
})
