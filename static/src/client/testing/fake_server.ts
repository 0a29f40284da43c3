/** The server's end of Socket.IO, as the protocol says; a test answers commands by name. */
import type { Notices, ParticipantView, RoomView, Welcome } from '../protocol'
import type { Credentials, OpenSocket, SocketLike } from '../socket'

type Answer = (body: unknown) => unknown

export class FakeSocket implements SocketLike {
  readonly sent: { type: string; body: unknown }[] = []
  /** What the client said when it connected; null until it had it. */
  auth: Credentials | null = null
  closed = false
  readonly #listeners = new Map<string, ((body: never) => void)[]>()

  constructor(readonly server: FakeServer) {}

  on(event: string, listener: (body: never) => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener])
  }

  emit(type: string, body: unknown, acknowledge: (answer: unknown) => void): void {
    this.sent.push({ type, body })
    const answer = this.server.answers[type]
    if (answer === undefined) return
    try {
      acknowledge({ ok: true, data: answer(body) })
    } catch (error) {
      acknowledge({ ok: false, error })
    }
  }

  disconnect(): void {
    this.closed = true
  }

  /** Let the client hear something. */
  say(event: string, body?: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(body as never)
  }

  notice<Name extends keyof Notices>(name: Name, body: Notices[Name]): void {
    this.say(name, body)
  }

  bodies(type: string): unknown[] {
    return this.sent.filter((one) => one.type === type).map(({ body }) => body)
  }
}

/** Accepts every connection of a client; acknowledges the commands that `answers` names. */
export class FakeServer {
  readonly sockets: FakeSocket[] = []
  answers: Record<string, Answer> = {
    'media.offer': () => ({ sdp: 'answer' }),
    'media.state': () => ({}),
    'quality.report': () => ({}),
    'slots.sizes': () => ({}),
    'video.limit': () => ({}),
    'room.leave': () => ({}),
    'chat.send': () => ({ id: 'line-1' }),
  }

  readonly open: OpenSocket = (credentials) => {
    const socket = new FakeSocket(this)
    credentials().then(
      (auth) => (socket.auth = auth),
      () => undefined,
    )
    this.sockets.push(socket)
    return socket
  }

  get socket(): FakeSocket {
    const last = this.sockets[this.sockets.length - 1]
    if (!last) throw new Error('nobody has connected')
    return last
  }

  /** Accept the last connection and greet it. */
  greet(welcome: Partial<Welcome> = {}): FakeSocket {
    const { socket } = this
    socket.say('connect')
    socket.notice('welcome', { ...WELCOME, ...welcome })
    return socket
  }
}

export const person = (id: string, patch: Partial<ParticipantView> = {}): ParticipantView => ({
  id,
  name: id.toUpperCase(),
  role: 'interviewer',
  placement: 'room',
  connected: true,
  microphone: true,
  camera: true,
  screen: false,
  quality: 'good',
  since_ms: 0,
  ...patch,
})

const FIRST = { id: 'round-1', title: '初面', index: 0, occupied: true }
const SECOND = { id: 'round-2', title: '复面', index: 1, occupied: false }

export const ROOM: RoomView = {
  id: 'room-1',
  interview_id: 'interview-1',
  interview_title: '面试',
  round: FIRST,
  rounds: [FIRST, SECOND],
  placement: 'room',
  participants: [person('me', { role: 'candidate' }), person('ann')],
  screen: null,
  chat: [],
  state: 'live',
  seq: 10,
}

export const WELCOME: Welcome = {
  protocol: 1,
  you: { participant: 'me', name: 'ME', role: 'candidate' },
  resume: 'resume-1',
  resumed: false,
  media_kept: false,
  room: ROOM,
  ice_servers: [],
  hr_contact: { name: 'HR', phone: '010' },
  server_time_ms: 0,
}
