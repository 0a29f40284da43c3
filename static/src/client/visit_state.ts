/** What the state of a visit begins with, ends with, and shows of a room. */
import type { Notices, RoomView } from './protocol'
import { GOOD } from './quality'
import type { InterviewState, Phase } from './types'

export const BEFORE: InterviewState = {
  phase: 'check',
  me: null,
  room: null,
  participants: [],
  tiles: [],
  screen: null,
  chat: [],
  unread: 0,
  reactions: [],
  quality: GOOD,
  waiting: [],
  nextRound: null,
  canTakeBack: null,
  arrival: null,
  hrContact: { name: '', phone: '' },
  reconnectingSinceMs: null,
  error: null,
}

/** From where a tap on *join* leads into the interview. */
export const JOINABLE: Phase[] = ['check', 'left', 'failed', 'replaced']
/** Refusals that say the interview is over, not that something went wrong. */
export const CLOSED = new Set(['room_ended', 'round_ended', 'interview_closed'])

/** Where a goodbye leads; null: nowhere. */
export const GOODBYE_PHASE: Record<Notices['goodbye']['reason'], Phase | null> = {
  ended: 'ended',
  removed: 'removed',
  replaced: 'replaced',
  left: 'left',
  revoked: 'failed',
  shutdown: null, // the node stops: another connection will do
}

/** Who waits to be admitted. */
export function waitingIn(room: RoomView, me: string): RoomView['participants'] {
  return room.participants.filter(({ id, placement }) => placement === 'lobby' && id !== me)
}

/** Where a hand-over leads by default. */
export function nextRound(room: RoomView): RoomView['round'] | null {
  const later = room.rounds.filter(({ index }) => index > room.round.index)
  return later.sort((a, b) => a.index - b.index)[0] ?? null
}
