import { beforeEach, expect, test } from 'vitest'

import { Connection } from './connection'
import { cameraEncodings } from './encodings'
import { ProblemError } from './problem'
import type { MediaOffer } from './protocol'
import { FakeTrack } from './testing/fake_media'
import { FakePeerConnection } from './testing/fake_peer_connection'

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
      cameraEncodings: cameraEncodings('phone'),
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
