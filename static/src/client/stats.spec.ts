import { expect, test } from 'vitest'

import { StatsReader } from './stats'

type Fields = Record<string, unknown>

const report = (...entries: Fields[]): RTCStatsReport =>
  new Map(
    entries.map((entry, index) => [String(entry.id ?? index), entry]),
  ) as unknown as RTCStatsReport

const inbound = (packetsReceived: number, packetsLost: number, more: Fields = {}): Fields => ({
  type: 'inbound-rtp',
  kind: 'audio',
  packetsReceived,
  packetsLost,
  ...more,
})

test('loss is that between two reports, not of the whole visit', () => {
  const reader = new StatsReader()
  expect(reader.read(report(inbound(1000, 400))).lossDownRatio).toBeNull()
  expect(reader.read(report(inbound(1090, 410))).lossDownRatio).toBeCloseTo(0.1)
  expect(reader.read(report(inbound(1190, 410))).lossDownRatio).toBe(0)
})

test('a packet that comes late after all makes the lost count shrink, which is no loss', () => {
  const reader = new StatsReader()
  reader.read(report(inbound(100, 10)))
  expect(reader.read(report(inbound(120, 5))).lossDownRatio).toBe(0)
})

test('too few packets are no opinion', () => {
  const reader = new StatsReader()
  reader.read(report(inbound(100, 0)))
  expect(reader.read(report(inbound(102, 1))).lossDownRatio).toBeNull()
})

test('a stream that appears is not taken for loss, nor one that begins to count again', () => {
  const reader = new StatsReader()
  reader.read(report(inbound(100, 10)))
  expect(reader.read(report(inbound(110, 10), inbound(50, 50))).lossDownRatio).toBe(0)
  expect(reader.read(report(inbound(5, 0), inbound(60, 50))).lossDownRatio).toBe(0)
})

const layer = (id: string, packetsSent: number, more: Fields = {}): Fields => ({
  id,
  type: 'outbound-rtp',
  kind: 'video',
  rid: id,
  packetsSent,
  ...more,
})
const told = (localId: string, fractionLost: number): Fields => ({
  type: 'remote-inbound-rtp',
  localId,
  fractionLost,
})

test('the way up counts by what was sent: a paused layer keeps its last loss for ever', () => {
  const reader = new StatsReader()
  expect(reader.read(report(layer('q', 10), told('q', 0.5))).lossUpRatio).toBeNull()
  const both = (q: number, f: number): RTCStatsReport =>
    report(layer('q', q), layer('f', f), told('q', 0.5), told('f', 0.1))
  reader.read(both(10, 10))
  expect(reader.read(both(20, 40)).lossUpRatio).toBeCloseTo(0.2)
  expect(reader.read(both(20, 70)).lossUpRatio).toBeCloseTo(0.1)
  expect(reader.read(both(20, 70)).lossUpRatio).toBeNull()
})

const pair = (more: Fields = {}): Fields => ({
  id: 'pair',
  type: 'candidate-pair',
  state: 'succeeded',
  nominated: true,
  localCandidateId: 'local',
  ...more,
})

test('the path in use gives round trip, estimate and rates', () => {
  const reader = new StatsReader()
  const at = (timestamp: number, bytes: number): RTCStatsReport =>
    report(
      { type: 'candidate-pair', state: 'failed', currentRoundTripTime: 9 },
      pair({
        timestamp,
        currentRoundTripTime: 0.08,
        availableOutgoingBitrate: 900_000,
        bytesSent: bytes,
        bytesReceived: 2 * bytes,
      }),
    )
  expect(reader.read(at(1_000, 700))).toMatchObject({ rttMs: 80, sentBps: 0, arrivedBytes: 0 })
  expect(reader.read(at(3_000, 1_700))).toMatchObject({
    sendableBps: 900_000,
    sentBps: 4_000,
    receivedBps: 8_000,
    arrivedBytes: 2_000,
  })
  expect(reader.read(at(4_000, 1_700)).arrivedBytes).toBe(0)
  expect(reader.read(at(5_000, 10)).arrivedBytes).toBe(0)
})

test.each([
  [{ candidateType: 'host', protocol: 'udp' }, 'udp'],
  [{ candidateType: 'prflx', protocol: 'tcp' }, 'tcp'],
  [{ candidateType: 'relay', protocol: 'udp' }, 'relay'],
])('a path over %j is %s', (candidate, path) => {
  const local = { id: 'local', type: 'local-candidate', ...candidate }
  expect(new StatsReader().read(report(pair(), local)).path).toBe(path)
})

test('the pair that the transport uses comes before one that was nominated earlier', () => {
  const transport = { type: 'transport', selectedCandidatePairId: 'new' }
  const sample = new StatsReader().read(
    report(
      pair({ currentRoundTripTime: 0.5 }),
      pair({ id: 'new', nominated: false, currentRoundTripTime: 0.02 }),
      transport,
    ),
  )
  expect(sample.rttMs).toBe(20)
})

test('jitter is that of voices which are heard now', () => {
  const reader = new StatsReader()
  const at = (voice: number): RTCStatsReport =>
    report(
      inbound(voice, 0, { jitter: 0.03 }),
      inbound(90, 0, { jitter: 0.5 }), // its slot is empty
      inbound(10 * voice, 0, { kind: 'video', jitter: 0.2 }),
    )
  expect(reader.read(at(10)).jitterMs).toBeNull()
  expect(reader.read(at(20)).jitterMs).toBe(30)
})

test('of our camera: the largest layer that goes out, and why it is not larger', () => {
  const sample = new StatsReader().read(
    report(
      layer('q', 1, { frameWidth: 640, frameHeight: 360, framesPerSecond: 30 }),
      layer('h', 1, {
        frameWidth: 1280,
        frameHeight: 720,
        framesPerSecond: 24,
        qualityLimitationReason: 'bandwidth',
      }),
      layer('f', 1, { frameWidth: 1920, frameHeight: 1080, framesPerSecond: 0, active: false }),
      { id: 's', type: 'outbound-rtp', kind: 'video', frameWidth: 2560, framesPerSecond: 5 },
    ),
  )
  expect(sample.sent).toEqual({ width: 1280, height: 720, fps: 24 })
  expect(sample.limitedBy).toBe('bandwidth')
})

test('a machine that cannot keep up is the reason, whatever else is', () => {
  const layers = ['bandwidth', 'cpu'].map((qualityLimitationReason, index) =>
    layer(String(index), 1, { qualityLimitationReason }),
  )
  expect(new StatsReader().read(report(...layers)).limitedBy).toBe('cpu')
})

test('each slot: what it drew, and how long it stood still, since the sample before', () => {
  const reader = new StatsReader()
  const at = (frames: number, freezes: number): RTCStatsReport =>
    report({
      type: 'inbound-rtp',
      kind: 'video',
      mid: '4',
      frameWidth: 640,
      frameHeight: 360,
      framesPerSecond: 24,
      framesDecoded: frames,
      freezeCount: freezes,
      totalFreezesDuration: freezes * 0.4,
    })
  reader.read(at(100, 1))
  expect(reader.read(at(124, 3)).slots).toEqual([
    { mid: '4', width: 640, height: 360, fps: 24, frames: 24, freezes: 2, frozenMs: 800 },
  ])
})

test('a browser that does not say which slot a stream belongs to tells nothing of slots', () => {
  expect(new StatsReader().read(report(inbound(1, 0, { kind: 'video' }))).slots).toBeNull()
})

test('sound that was made up counts, silence that was made up does not', () => {
  const reader = new StatsReader()
  const at = (played: number, concealed: number, silent: number): RTCStatsReport =>
    report(
      inbound(1, 0, {
        totalSamplesReceived: played,
        concealedSamples: concealed,
        silentConcealedSamples: silent,
      }),
    )
  reader.read(at(48_000, 0, 0))
  expect(reader.read(at(96_000, 4_800, 4_000))).toMatchObject({
    playedSamples: 48_000,
    concealedSamples: 800,
  })
})

test('an empty report is no opinion', () => {
  expect(new StatsReader().read(report())).toEqual({
    rttMs: null,
    lossUpRatio: null,
    lossDownRatio: null,
    jitterMs: null,
    sendableBps: null,
    sentBps: 0,
    receivedBps: 0,
    limitedBy: 'none',
    sent: null,
    playedSamples: 0,
    concealedSamples: 0,
    arrivedBytes: 0,
    path: null,
    slots: [],
  })
})

test('nonsense from a browser is not measured', () => {
  const sample = new StatsReader().read(
    report(
      pair({ currentRoundTripTime: NaN, availableOutgoingBitrate: 'much' }),
      inbound(Infinity, -5),
      { type: 'remote-inbound-rtp', fractionLost: 7 },
    ),
  )
  expect(sample).toMatchObject({ rttMs: null, sendableBps: null, lossDownRatio: null })
})
