import { expect, test } from 'vitest'

import type { EventBody, RoomEvent, RoomView } from './protocol'
import { applyEvent } from './room'
import { ROOM, person } from './testing/fake_server'

const event = (seq: number, body: EventBody, room = ROOM.id): RoomEvent => ({
  room,
  seq,
  at_ms: 0,
  body,
})
const after = (...bodies: EventBody[]): RoomView =>
  bodies.reduce((room, body, index) => applyEvent(room, event(11 + index, body)), ROOM)
const ids = (room: RoomView): string[] => room.participants.map(({ id }) => id)

test('people enter once, change in place, and go', () => {
  const bob = person('bob')
  const twice = after(
    { type: 'participant.entered', participant: bob },
    { type: 'participant.entered', participant: bob },
    { type: 'participant.changed', participant: person('ann', { microphone: false }) },
  )
  expect(ids(twice)).toEqual(['me', 'ann', 'bob'])
  expect(twice.participants[1]?.microphone).toBe(false)
  const gone = applyEvent(
    twice,
    event(20, { type: 'participant.left', participant: 'bob', reason: 'left', to_round: null }),
  )
  expect(ids(gone)).toEqual(['me', 'ann'])
  expect(gone.seq).toBe(20)
})

test('a replayed, an old and a foreign event change nothing', () => {
  const left: EventBody = {
    type: 'participant.left',
    participant: 'ann',
    reason: 'lost',
    to_round: null,
  }
  expect(applyEvent(ROOM, event(10, left))).toBe(ROOM)
  expect(applyEvent(ROOM, event(3, left))).toBe(ROOM)
  expect(applyEvent(ROOM, event(11, left, 'room-9'))).toBe(ROOM)
})

test('a gap in the numbers is no fault: some events are for others only', () => {
  expect(applyEvent(ROOM, event(99, { type: 'screen.changed', participant: 'ann' }))).toMatchObject(
    {
      screen: 'ann',
      seq: 99,
    },
  )
})

test('who leaves takes their screen along', () => {
  const room = after(
    { type: 'screen.changed', participant: 'ann' },
    { type: 'participant.left', participant: 'ann', reason: 'left', to_round: null },
  )
  expect(room.screen).toBeNull()
})

test('the same chat line is listed once', () => {
  const message = { id: 'l1', participant: 'ann', name: 'ANN', text: '<b>', at_ms: 1 }
  const said: EventBody = { type: 'chat.message', message }
  expect(after(said, said).chat).toEqual([message])
})

test('rounds fill and empty, muting shows, the end is the end', () => {
  const room = after(
    { type: 'rounds.changed', round: 'round-2', occupied: true },
    { type: 'participant.muted', participant: 'ann', by: 'me' },
    { type: 'room.ended', by: null },
  )
  expect(room.rounds.map(({ occupied }) => occupied)).toEqual([true, true])
  expect(room.participants[1]?.microphone).toBe(false)
  expect(room.state).toBe('ended')
})

test('an event of a later server is skipped', () => {
  const unknown = { type: 'participant.waved', participant: 'ann' } as unknown as EventBody
  expect(after(unknown)).toEqual({ ...ROOM, seq: 11 })
})
