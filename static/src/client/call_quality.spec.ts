import { afterEach, beforeEach, expect, test } from 'vitest'

import { savesData } from './data_saver'
import type { QualityChanged, QualityReport, SlotView } from './protocol'
import { person, ROOM } from './testing/fake_server'
import { mark } from './timeline'
import {
  afterVisit,
  arrive,
  beforeVisit,
  display,
  enter,
  event,
  interview,
  media,
  pc,
  reconnect,
  server,
  tick,
} from './testing/visit_rig'

beforeEach(beforeVisit)
afterEach(afterVisit)

/** Those with figures; the others only ask whether the line still lives. */
const reports = (): QualityReport[] =>
  (server.socket.bodies('quality.report') as QualityReport[]).filter((one) => one.span_ms)

test('the quality is told every five seconds, and when it changes', async () => {
  await enter()
  const pair = { type: 'candidate-pair', nominated: true, state: 'succeeded' }
  pc().stats.set('p', { ...pair, currentRoundTripTime: 0.02 })
  await tick(16_500)
  expect(reports()).toHaveLength(4)
  expect(reports()[3]).toMatchObject({ level: 'good', rtt_ms: 20, span_ms: 5_000 })
  expect(reports()[3]?.join_ms).toBeGreaterThanOrEqual(0)
  expect(interview.state.quality.level).toBe('good')
  expect(interview.state.figures).toMatchObject({ rttMs: 20, receivableBps: null })
  pc().stats.set('p', { ...pair, currentRoundTripTime: 3 })
  await tick(3_000)
  expect(reports()[4]).toMatchObject({ level: 'poor' })
  pc().become('disconnected')
  await tick(2_000)
  expect(interview.state.quality).toMatchObject({ level: 'lost', cause: 'self' })
})

const alone = { ...ROOM, participants: [person('me', { role: 'candidate' })] }
const inCompany = { ...ROOM, participants: [...alone.participants, person('ann')] }

test.each([
  ['from when there was somebody to see', alone, [300, 1_000]],
  ['from the tap when somebody was there already', inCompany, [7_300, 9_000]],
])('the first picture is timed %s', async (_, room, [least, most]) => {
  await enter({ room: { ...room, placement: 'room' } })
  await tick(7_000)
  server.socket.notice('slots', cameraSlot('6'))
  await tick(300)
  server.socket.notice('slots', cameraSlot('6')) // again: the first time counts
  mark('frame.first', { participant: 'ann' })
  await tick(5_000)
  const told = reports().map((one) => one.first_frame_ms)
  expect(told[0]).toBeNull()
  expect(told.at(-1)).toBeGreaterThanOrEqual(least ?? 0)
  expect(told.at(-1)).toBeLessThan(most ?? 0)
})

const CHANGED: QualityChanged = {
  participant: 'ann',
  grade: 'poor',
  cause: 'peer',
  reason: 'loss',
  affects: 'sending',
  facts: {
    rtt_ms: 300,
    loss_up_ratio: 0.2,
    loss_down_ratio: 0,
    jitter_ms: 20,
    up_bps: 90_000,
    down_bps: null,
    estimate_bps: 700_000,
    sent_height: 360,
    shown_height: null,
    freeze_ratio: null,
    concealed_ratio: null,
    video_paused: false,
  },
}

test("the server's word on us and on others comes to mark and tiles", async () => {
  await enter()
  server.socket.notice('quality.changed', CHANGED)
  event({ type: 'participant.changed', participant: person('ann', { quality: 'poor' }) })
  expect(interview.state.tiles[0]).toMatchObject({
    quality: { level: 'poor', cause: 'peer', reason: 'loss' },
    blame: 'peer',
  })
  const overload = { grade: 'fair', cause: 'server', reason: 'overload' } as const
  server.socket.notice('quality.changed', { ...CHANGED, ...overload, participant: 'me' })
  await tick(1_000)
  expect(interview.state.quality).toMatchObject({ level: 'fair', cause: 'server', advice: 'wait' })
  expect(interview.state.figures?.receivableBps).toBe(700_000)
})

const cameraSlot = (mid: string, paused = false): { slots: SlotView[] } => ({
  slots: [{ mid, participant: 'ann', source: 'camera', paused }],
})

test('a picture that stands still becomes sound only by itself, and comes back by itself', async () => {
  await enter()
  server.socket.notice('slots', cameraSlot('6'))
  interview.drawn('ann', 'camera', { width: 640, height: 360 })
  const inbound = { type: 'inbound-rtp', kind: 'video', mid: '6', framesDecoded: 0 }
  pc().stats.set('in', inbound)
  const run = async (seconds: number, framesASecond: number): Promise<unknown> => {
    for (let second = 0; second < seconds; second += 1) {
      inbound.framesDecoded += framesASecond
      await tick(1_000)
    }
    return interview.state.tiles[0]?.picture
  }
  await run(1, 0)
  expect(await run(2, 20)).toBe('live')
  expect(await run(4, 0)).toBe('paused')
  expect(await run(3, 20)).toBe('live')
  server.socket.notice('slots', cameraSlot('6', true))
  expect(interview.state.tiles[0]).toMatchObject({ picture: 'paused', blame: 'self' })
})

test('sizes are told as they are drawn, and told anew to a server that greets us again', async () => {
  await enter()
  server.socket.notice('slots', cameraSlot('6'))
  interview.drawn('ann', 'camera', { width: 640, height: 360 })
  const sizes = { sizes: [{ slot: '6', width: 640, height: 360 }] }
  expect(server.socket.bodies('slots.sizes')).toEqual([sizes])
  await reconnect({})
  await tick(1_000)
  expect(server.socket.bodies('slots.sizes')).toEqual([sizes])
})

const cameraLayers = (): string => {
  const encodings = pc().getTransceivers()[1]?.sender.getParameters().encodings ?? []
  return encodings
    .filter((one) => one.active)
    .map(({ rid }) => rid)
    .join('')
}

test('layers that nobody watches rest, on this connection and not on the next', async () => {
  await enter()
  expect(cameraLayers()).toBe('qh')
  server.socket.notice('layers.wanted', { camera: [{ rid: 'h', max_bps: null }], screen: [] })
  await tick()
  expect(cameraLayers()).toBe('h')
  server.socket.notice('layers.wanted', { camera: null, screen: null })
  await tick()
  expect(cameraLayers()).toBe('qh')
  server.socket.notice('layers.wanted', { camera: [], screen: [] })
  await tick()
  expect(cameraLayers()).toBe('')
  await reconnect({ media_kept: false })
  expect(cameraLayers()).toBe('qh')
})

test('a layer keeps to what its only viewer can take, on this connection and not on the next', async () => {
  const bitrates = (): unknown[] =>
    [1, 2].map((place) => {
      const encodings = pc().getTransceivers()[place]?.sender.getParameters().encodings ?? []
      return encodings.find((one) => one.active)?.maxBitrate
    })
  await enter()
  display.mockResolvedValueOnce(await media.getUserMedia({ video: true }))
  server.answers['screen.start'] = () => ({})
  await interview.startScreen()
  const own = bitrates()
  const limit = (camera: number | null, screen: number | null): Promise<unknown> => {
    server.socket.notice('layers.wanted', {
      camera: [{ rid: 'q', max_bps: camera }],
      screen: [{ rid: '', max_bps: screen }],
    })
    return tick()
  }
  await limit(90_000, 200_000)
  expect(bitrates()).toEqual([90_000, 200_000])
  await limit(null, null)
  expect(bitrates()).toEqual(own)
  await limit(60_000, 0)
  expect(bitrates()).toEqual([60_000, 30_000])
  await reconnect({ media_kept: false })
  expect(bitrates()).toEqual(own)
})

test('who is asked to send little is not said to have a narrow network', async () => {
  await enter()
  const pair = { type: 'candidate-pair', nominated: true, state: 'succeeded' }
  pc().stats.set('p', { ...pair, currentRoundTripTime: 0.02, availableOutgoingBitrate: 80_000 })
  const levelAt = async (max_bps: number | null): Promise<unknown> => {
    server.socket.notice('layers.wanted', { camera: [{ rid: 'q', max_bps }], screen: [] })
    await tick(10_000)
    return interview.state.quality
  }
  expect(await levelAt(60_000)).toMatchObject({ level: 'good' })
  expect(await levelAt(150_000)).toMatchObject({ level: 'poor', cause: 'self' })
  expect(await levelAt(60_000)).toMatchObject({ level: 'good' })
  expect(await levelAt(null)).toMatchObject({ level: 'poor', cause: 'self' })
})

test('what is still told of a connection that is gone does not limit its successor', async () => {
  await enter()
  const tell = (): void =>
    server.socket.notice('layers.wanted', { camera: [{ rid: 'q', max_bps: 50_000 }], screen: [] })
  server.answers['media.offer'] = () => {
    tell()
    return { sdp: 'answer' }
  }
  await reconnect({ media_kept: false })
  expect(cameraLayers()).toBe('qh')
  tell()
  await tick()
  expect(cameraLayers()).toBe('q')
})

test('saving data: a small picture each way, told to every server, remembered on this device', async () => {
  await enter()
  expect(server.socket.bodies('video.limit')).toEqual([])
  interview.saveData(true)
  await tick()
  expect(interview.state.saving).toBe(true)
  expect(cameraLayers()).toBe('q')
  expect(server.socket.bodies('video.limit')).toEqual([{ max_height: 360 }])
  await reconnect({})
  expect(server.socket.bodies('video.limit')).toEqual([{ max_height: 360 }])
  await interview.leave()
  expect(interview.state.saving).toBe(true)
  expect(savesData()).toBe(true)
  await enter()
  interview.saveData(false)
  await tick()
  expect(cameraLayers()).toBe('qh')
  expect(server.socket.bodies('video.limit')).toEqual([{ max_height: 360 }, { max_height: null }])
})

test('where much is lost, what arrives waits until it was sent again', async () => {
  await enter()
  const pair = { type: 'candidate-pair', nominated: true, state: 'succeeded' }
  pc().stats.set('p', { ...pair, currentRoundTripTime: 0.1 })
  const targets = (): unknown[] =>
    pc()
      .getTransceivers()
      .map(({ receiver }) => receiver.jitterBufferTarget)
  for (let second = 1; second <= 6; second += 1) {
    const sound = { packetsReceived: 47 * second, packetsLost: 3 * second }
    pc().stats.set('in', { type: 'inbound-rtp', kind: 'audio', ...sound })
    await tick(1_000)
  }
  expect(new Set(targets())).toEqual(new Set([300]))
})

test('a path that never comes is not a good one, on either side', async () => {
  await arrive({ room: { ...inCompany, placement: 'room' } })
  await tick(5_000)
  expect(interview.state.quality.level).toBe('good')
  await tick(8_000)
  const unconnected = { level: 'lost', cause: 'none', reason: 'unconnected' } as const
  expect(interview.state.quality).toMatchObject({ ...unconnected, advice: 'switch_network' })
  expect(interview.state.tiles[0]).toMatchObject({ picture: 'cut', blame: 'self' })
  pc().become('connected')
  await tick(1_000)
  expect(interview.state.quality.level).toBe('good')
  const { cause, reason } = unconnected
  const told = {
    ...CHANGED,
    participant: 'ann',
    grade: 'lost',
    cause,
    reason,
    affects: 'both',
  } as const
  server.socket.notice('quality.changed', told)
  event({ type: 'participant.changed', participant: person('ann', { quality: 'lost' }) })
  await tick()
  expect(interview.state.tiles[0]).toMatchObject({ picture: 'cut', blame: 'peer' })
})
