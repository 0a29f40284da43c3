import { beforeEach, expect, test, vi } from 'vitest'

import type { RoomView, SlotView } from './protocol'
import { GOOD } from './quality'
import { FakeStream, FakeTrack } from './testing/fake_media'
import { ROOM, person } from './testing/fake_server'
import { Tiles, type Sight } from './tiles'

const tracks: Record<string, FakeTrack> = {}
const trackOf = (mid: string): MediaStreamTrack | null =>
  (tracks[mid] ?? null) as unknown as MediaStreamTrack | null
const slot = (mid: string, participant: string | null, source: SlotView['source']): SlotView => ({
  mid,
  participant,
  source,
  paused: false,
})
const SIGHT: Sight = {
  cut: () => false,
  state: () => 'live',
  size: () => null,
  peer: () => ({ ...GOOD, facts: null }),
  blame: () => 'peer',
}
const withPeople = (...people: RoomView['participants']): RoomView => ({
  ...ROOM,
  participants: [person('me'), ...people],
})

beforeEach(() => {
  vi.stubGlobal('MediaStream', FakeStream)
  for (const mid of ['3', '4', '6', '7']) {
    tracks[mid] = new FakeTrack(Number(mid) < 6 ? 'audio' : 'video')
  }
})

test('a tile carries the voice and picture of its participant', () => {
  const tiles = new Tiles()
  tiles.setSlots([
    slot('3', 'ann', 'microphone'),
    slot('6', 'ann', 'camera'),
    slot('7', null, null),
  ])
  const [tile, ...more] = tiles.draw(withPeople(person('ann')), 'me', trackOf, SIGHT)
  expect(more).toEqual([])
  expect(tile?.stream.getTracks()).toEqual([tracks['3'], tracks['6']])
  expect(tile?.videoOn).toBe(true)
})

test('slots move, the stream stays the same object', () => {
  const tiles = new Tiles()
  const room = withPeople(person('ann'), person('bob'))
  tiles.setSlots([slot('6', 'ann', 'camera'), slot('7', 'bob', 'camera')])
  const before = tiles.draw(room, 'me', trackOf, SIGHT)
  tiles.setSlots([slot('7', 'ann', 'camera'), slot('6', 'bob', 'camera')])
  const after = tiles.draw(room, 'me', trackOf, SIGHT)
  expect(after.map(({ stream }) => stream)).toEqual(before.map(({ stream }) => stream))
  expect(after[0]?.stream).toBe(before[0]?.stream)
  expect(after[0]?.stream.getTracks()).toEqual([tracks['7']])
})

test('who comes back after leaving gets a fresh stream', () => {
  const tiles = new Tiles()
  const [first] = tiles.draw(withPeople(person('ann')), 'me', trackOf, SIGHT)
  tiles.draw(withPeople(), 'me', trackOf, SIGHT)
  const [second] = tiles.draw(withPeople(person('ann')), 'me', trackOf, SIGHT)
  expect(second?.stream).not.toBe(first?.stream)
})

test('no picture without a slot, or while the camera is off', () => {
  const tiles = new Tiles()
  expect(tiles.draw(withPeople(person('ann')), 'me', trackOf, SIGHT)[0]?.videoOn).toBe(false)
  tiles.setSlots([slot('6', 'ann', 'camera')])
  const off = withPeople(person('ann', { camera: false }))
  expect(tiles.draw(off, 'me', trackOf, SIGHT)[0]?.videoOn).toBe(false)
})

test('those in the lobby, and we ourselves, have no tile', () => {
  const room = withPeople(person('cat', { placement: 'lobby', role: 'candidate' }))
  expect(new Tiles().draw(room, 'me', trackOf, SIGHT)).toEqual([])
})

test('a muted microphone does not speak, a departed speaker is forgotten', () => {
  const tiles = new Tiles()
  tiles.setSpeaking('ann', true)
  expect(tiles.draw(withPeople(person('ann')), 'me', trackOf, SIGHT)[0]?.speaking).toBe(true)
  const muted = withPeople(person('ann', { microphone: false }))
  expect(tiles.draw(muted, 'me', trackOf, SIGHT)[0]?.speaking).toBe(false)
  tiles.draw(withPeople(), 'me', trackOf, SIGHT)
  expect(tiles.draw(withPeople(person('ann')), 'me', trackOf, SIGHT)[0]?.speaking).toBe(false)
})

test("another's screen has a stable stream, our own is not ours to receive", () => {
  const tiles = new Tiles()
  tiles.setSlots([slot('7', 'ann', 'screen')])
  const room = { ...withPeople(person('ann')), screen: 'ann' }
  const first = tiles.screen(room, 'me', trackOf)
  expect(first?.stream.getTracks()).toEqual([tracks['7']])
  expect(tiles.screen(room, 'me', trackOf)?.stream).toBe(first?.stream)
  expect(tiles.screen({ ...room, screen: 'me' }, 'me', trackOf)).toBeNull()
  expect(tiles.screen({ ...room, screen: null }, 'me', trackOf)).toBeNull()
})

test('a picture that the server holds back for our network is paused at once, and ours to mend', () => {
  const tiles = new Tiles()
  const drawn = (paused: boolean): unknown => {
    tiles.setSlots([{ ...slot('6', 'ann', 'camera'), paused }])
    const [tile] = tiles.draw(withPeople(person('ann')), 'me', trackOf, SIGHT)
    return [tile?.picture, tile?.blame]
  }
  expect(drawn(true)).toEqual(['paused', 'self'])
  expect(drawn(false)).toEqual(['live', 'peer'])
})

test('a camera that is off is no fault of any network', () => {
  const tiles = new Tiles()
  tiles.setSlots([{ ...slot('6', 'ann', 'camera'), paused: true }])
  const off = withPeople(person('ann', { camera: false }))
  expect(tiles.draw(off, 'me', trackOf, SIGHT)[0]?.picture).toBe('off')
})
