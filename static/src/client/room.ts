import type { ParticipantView, RoomEvent, RoomView, Welcome } from './protocol'

/** What a numbered event makes of the room. The same event twice changes nothing. */
export function applyEvent(room: RoomView, event: RoomEvent): RoomView {
  if (event.room !== room.id || event.seq <= room.seq) return room
  return { ...change(room, event), seq: event.seq }
}

/** Whether we came into a room where somebody's camera was on already. */
export function showsSomebody({ room, you }: Welcome): boolean {
  if (room?.placement !== 'room') return false
  const others = room.participants.filter((one) => one.id !== you.participant)
  return others.some((one) => one.placement === 'room' && one.connected && one.camera)
}

function change(room: RoomView, { body }: RoomEvent): RoomView {
  switch (body.type) {
    case 'participant.entered':
    case 'participant.changed':
      return { ...room, participants: withParticipant(room.participants, body.participant) }
    case 'participant.left':
      return without(room, body.participant)
    case 'participant.muted':
      return patched(room, body.participant, { microphone: false })
    case 'screen.changed':
      return { ...room, screen: body.participant }
    case 'chat.message':
      return room.chat.some(({ id }) => id === body.message.id)
        ? room
        : { ...room, chat: [...room.chat, body.message] }
    case 'rounds.changed':
      return withRound(room, body.round, body.occupied)
    case 'room.ended':
      return { ...room, state: 'ended' }
    default:
      return room
  }
}

function withParticipant(list: ParticipantView[], next: ParticipantView): ParticipantView[] {
  return list.some(({ id }) => id === next.id)
    ? list.map((one) => (one.id === next.id ? next : one))
    : [...list, next]
}

function patched(room: RoomView, id: string, patch: Partial<ParticipantView>): RoomView {
  const participants = room.participants.map((one) => (one.id === id ? { ...one, ...patch } : one))
  return { ...room, participants }
}

function without(room: RoomView, id: string): RoomView {
  return {
    ...room,
    participants: room.participants.filter((one) => one.id !== id),
    screen: room.screen === id ? null : room.screen,
  }
}

function withRound(room: RoomView, id: string, occupied: boolean): RoomView {
  const mark = <Round extends { id: string }>(round: Round): Round =>
    round.id === id ? { ...round, occupied } : round
  return { ...room, round: mark(room.round), rounds: room.rounds.map(mark) }
}
