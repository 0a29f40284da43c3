import { beforeEach, expect, test } from 'vitest'

import { Connection } from './connection'
import { UNLIMITED } from './encodings'
import { ProblemError } from './problem'
import type { MediaOffer } from './protocol'
import { FakeTrack } from './testing/fake_media'
import {
  FakePeerConnection,
  type FakeSender,
  type FakeTransceiver,
} from './testing/fake_peer_connection'

let offers: MediaOffer[]
let states: RTCPeerConnectionState[]
let answer: () => Promise<string>
let connection: Connection
let pc: FakePeerConnection

beforeEach(() => {
  offers = []
  states = []
  answer = () => Promise.resolve('answer')
  connection = new Connection(
    {
      offer: (offer) => {
        offers.push(offer)
        return answer()
      },
      onState: (state) => states.push(state),
    },
    {
      create: (configuration) =>
        new FakePeerConnection(configuration) as unknown as RTCPeerConnection,
      video: 'phone',
    },
  )
  pc = FakePeerConnection.made[FakePeerConnection.made.length - 1] as FakePeerConnection
})

test('the one offer: microphone, camera in three layers, screen, then slots', async () => {
  await connection.connect([])
  const sections = pc.getTransceivers()
  expect(sections.map(({ direction }) => direction)).toEqual([
    ...Array.from({ length: 3 }, () => 'sendonly'),
    ...Array.from({ length: 7 }, () => 'recvonly'),
  ])
  expect(sections[1]?.sendEncodings.map(({ rid }) => rid)).toEqual(['q', 'h', 'f'])
  expect(offers).toHaveLength(1)
  expect(offers[0]?.tracks).toEqual({ 0: 'microphone', 1: 'camera', 2: 'screen' })
  expect(pc.remoteDescription?.sdp).toBe('answer')
})

test('an offer that was prepared is the one that is sent', async () => {
  connection.prepare(Date.now())
  await connection.connect([])
  expect(pc.offers).toHaveLength(1)
})

test('an offer that waited long on the check screen is made again', () => {
  connection.prepare(0)
  connection.prepare(1_000)
  expect(pc.offers).toHaveLength(1)
  connection.prepare(60_000)
  expect(pc.offers).toEqual([{ iceRestart: false }, { iceRestart: true }])
})

test('relay servers named in the greeting are used from the first offer on', async () => {
  connection.prepare(Date.now())
  await connection.connect([{ urls: ['turn:t'], username: 'u', credential: 'c' }])
  expect(pc.configurations[1]?.iceServers).toEqual([
    { urls: ['turn:t'], username: 'u', credential: 'c' },
  ])
  expect(offers).toHaveLength(1)
  expect(pc.offers[1]).toEqual({ iceRestart: true })
})

test('a restart asks for new credentials on the same connection', async () => {
  await connection.connect([])
  await connection.restartIce([])
  expect(pc.offers[1]).toEqual({ iceRestart: true })
  expect(offers).toHaveLength(2)
  expect(FakePeerConnection.made[FakePeerConnection.made.length - 1]).toBe(pc)
})

test('offers wait for each other, and a failed one does not block the next', async () => {
  await connection.connect([])
  let fail: (error: Error) => void = () => undefined
  answer = () => new Promise((_, reject) => (fail = reject))
  const first = connection.restartIce([])
  const second = connection.restartIce([])
  await expect.poll(() => offers.length).toBe(2)
  answer = () => Promise.resolve('answer')
  fail(new ProblemError('timeout', ''))
  await expect(first).rejects.toMatchObject({ code: 'timeout' })
  await second
  expect(offers).toHaveLength(3)
  expect(pc.signalingState).toBe('stable')
})

test('slots grow to what the room needs and never shrink', async () => {
  await connection.connect([])
  await connection.growSlots(5, 5)
  const slots = pc.getTransceivers().filter(({ direction }) => direction === 'recvonly')
  expect(
    slots.map(({ receiver }) => receiver.track.kind).filter((kind) => kind === 'audio'),
  ).toHaveLength(5)
  expect(slots).toHaveLength(10)
  await connection.growSlots(2, 2)
  expect(offers).toHaveLength(2)
})

test('tracks come and go without an offer', async () => {
  await connection.connect([])
  const track = new FakeTrack('audio') as unknown as MediaStreamTrack
  await connection.send('microphone', track)
  expect(pc.getTransceivers()[0]?.sender.track).toBe(track)
  await connection.send('microphone', null)
  expect(pc.getTransceivers()[0]?.sender.track).toBeNull()
  expect(offers).toHaveLength(1)
})

const camera = (width?: number, height?: number): FakeTrack =>
  new FakeTrack('video', width && height ? { width, height } : {})
const sendCamera = (track: FakeTrack): Promise<void> =>
  connection.send('camera', track as unknown as MediaStreamTrack)
const cameraSender = (): FakeSender => (pc.getTransceivers()[1] as FakeTransceiver).sender
const layers = (): (number | null | undefined)[] =>
  cameraSender()
    .getParameters()
    .encodings.map((one) => (one.active ? one.scaleResolutionDownBy : null))

test.each([
  [1920, 1080, [3, 1.5, 1]],
  [360, 640, [2, 1, null]], // a phone held upright
  [320, 240, [1, null, null]],
  [undefined, undefined, [2, 1, null]], // a browser that does not say: as we asked for
])(
  'a camera of %sx%s: its whole picture is the highest layer sent',
  async (width, height, sent) => {
    await sendCamera(camera(width, height))
    expect(layers()).toEqual(sent)
  },
)

test('the layers are right before the first frame, and untouched while they are', async () => {
  const sender = cameraSender()
  await sendCamera(camera(640, 360))
  await sendCamera(camera(640, 360))
  expect(sender.done).toEqual(['setParameters', 'replaceTrack', 'replaceTrack'])
  await connection.fitCamera()
  expect(sender.done).toHaveLength(3)
})

test('the layers follow another camera, and one that changes its size', async () => {
  const small = camera(320, 240)
  await sendCamera(small)
  await sendCamera(camera(1920, 1080))
  expect(layers()).toEqual([3, 1.5, 1])
  const turned = camera(1280, 720)
  await sendCamera(turned)
  Object.assign(turned.settings, { width: 360, height: 640 })
  await connection.fitCamera()
  expect(layers()).toEqual([2, 1, null])
})

test('a browser that refuses other layers still sends the camera', async () => {
  const sender = cameraSender()
  sender.setParameters = () => Promise.reject(new Error('InvalidModificationError'))
  const track = camera(640, 360)
  await sendCamera(track)
  expect(sender.track).toBe(track)
})

test('layers that nobody watches are paused on the same connection', async () => {
  await connection.connect([])
  await sendCamera(camera(1920, 1080))
  await connection.demand('camera', { ...UNLIMITED, wanted: new Map([['h', null]]) })
  expect(layers()).toEqual([null, 1.5, null])
  expect(offers).toHaveLength(1)
})

test('a browser that knows no scalability mode sends the same layers without', () => {
  const create = (configuration: RTCConfiguration): RTCPeerConnection => {
    const old = new FakePeerConnection(configuration)
    const add = old.addTransceiver.bind(old)
    old.addTransceiver = (kind, init) => {
      const modes = (init?.sendEncodings ?? []).some((one) => 'scalabilityMode' in one)
      if (modes) throw new DOMException('', 'OperationError')
      return add(kind, init)
    }
    pc = old
    return old as unknown as RTCPeerConnection
  }
  const owner = { offer: () => Promise.resolve('answer'), onState: () => undefined }
  new Connection(owner, { create, video: 'phone' })
  expect(pc.getTransceivers()[1]?.sendEncodings.map(({ rid }) => rid)).toEqual(['q', 'h', 'f'])
})

test('without a camera there is nothing to fit', async () => {
  await connection.fitCamera()
  connection.close()
  await connection.fitCamera()
  expect(cameraSender().done).toEqual([])
})

test('a slot is found by its mid, an unknown one is no error', async () => {
  await connection.connect([])
  expect(connection.trackOf('4')).toBe(pc.getTransceivers()[4]?.receiver.track)
  expect(connection.trackOf('99')).toBeNull()
})

test('ICE tells of a lost path before the connection does', async () => {
  await connection.connect([])
  pc.become('connected')
  expect(connection.state).toBe('connected')
  pc.iceConnectionState = 'disconnected'
  pc.oniceconnectionstatechange?.()
  expect(connection.state).toBe('disconnected')
  expect(states[states.length - 1]).toBe('disconnected')
})

test('after closing nothing is sent and nobody is told', async () => {
  await connection.connect([])
  states = []
  connection.close()
  pc.become('failed')
  await connection.restartIce([])
  await connection.send('camera', new FakeTrack('video') as unknown as MediaStreamTrack)
  expect(states).toEqual([])
  expect(offers).toHaveLength(1)
})
