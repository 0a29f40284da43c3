/** What the state of a visit begins with, ends with, and shows of a room. */
import type { Notices, RoomView, You } from './protocol'
import { GOOD } from './quality'
import { othersIn, type Sight, type Tiles, type TrackOf } from './tiles'
import type { InterviewState, Phase, SharedScreen } from './types'

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
  quality: { ...GOOD, advice: 'none' },
  figures: null,
  saving: false,
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

export interface Shown {
  tiles: Tiles
  trackOf: TrackOf
  sight: Sight
  /** The screen that we share ourselves. */
  ownScreen: MediaStream | null
}

type RoomPicture = Pick<
  InterviewState,
  'participants' | 'tiles' | 'screen' | 'waiting' | 'nextRound'
>

/** What a person sees of the room; from the lobby, none of the others. */
export function drawRoom(room: RoomView, me: You, shown: Shown): RoomPicture {
  const inRoom = room.placement === 'room'
  const admits = me.role === 'interviewer' || me.role === 'hr'
  return {
    participants: inRoom ? othersIn(room, me.participant) : [],
    tiles: inRoom ? shown.tiles.draw(room, me.participant, shown.trackOf, shown.sight) : [],
    screen: inRoom ? screenIn(room, me.participant, shown) : null,
    waiting: admits ? waitingIn(room, me.participant) : [],
    nextRound: nextRound(room),
  }
}

function screenIn(room: RoomView, me: string, shown: Shown): SharedScreen | null {
  const participant = room.participants.find(({ id }) => id === me)
  const { ownScreen: stream } = shown
  if (stream && participant) return { participant, stream, mine: true }
  return shown.tiles.screen(room, me, shown.trackOf)
}

/** Who waits to be admitted. */
function waitingIn(room: RoomView, me: string): RoomView['participants'] {
  return room.participants.filter(({ id, placement }) => placement === 'lobby' && id !== me)
}

/** Where a hand-over leads by default. */
function nextRound(room: RoomView): RoomView['round'] | null {
  const later = room.rounds.filter(({ index }) => index > room.round.index)
  return later.sort((a, b) => a.index - b.index)[0] ?? null
}
