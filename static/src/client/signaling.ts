import type { Commands, Notices } from './protocol'
import type { ProblemError } from './problem'
import { ReconnectingSocket } from './reconnecting'
import type { OpenSocket } from './socket'

/** Refusals of a resume token after which the link may still open: ask it for a fresh token. */
const RESUME_REFUSED = new Set(['token_invalid', 'token_expired', 'token_used'])

/** An object, so that the type check misses none that the protocol names. */
const NOTICES = Object.keys({
  event: true,
  welcome: true,
  place: true,
  slots: true,
  'media.more_slots': true,
  'layers.wanted': true,
  speaking: true,
  'quality.changed': true,
  'media.lost': true,
  resume: true,
  goodbye: true,
} satisfies Record<keyof Notices, true>) as (keyof Notices)[]

export interface SignalingOwner {
  /** A fresh join token. Throws `ProblemError` when the link does not open (any more). */
  joinToken(): Promise<string>
  onNotice<Name extends keyof Notices>(name: Name, body: Notices[Name]): void
  onDown(): void
  onRefused(problem: ProblemError): void
}

interface Position {
  room: string
  seq: number
}

/**
 * The socket of namespace `/room`: the first connection with a join token, later ones with the
 * resume token and the last event seen, so that missed events are replayed.
 */
export class Signaling {
  readonly #owner: SignalingOwner
  readonly #socket: ReconnectingSocket
  #resume: string | null = null
  #position: Position | null = null
  #redeemedAgain = false

  constructor(open: OpenSocket, owner: SignalingOwner) {
    this.#owner = owner
    this.#socket = new ReconnectingSocket(open, {
      credentials: () => this.#credentials(),
      notices: this.#notices(),
      onDown: () => owner.onDown(),
      onRefused: (problem) => this.#refused(problem),
    })
  }

  get up(): boolean {
    return this.#socket.up
  }

  open(): void {
    this.#socket.open()
  }

  close(): void {
    this.#socket.close()
    this.#startOver()
    this.#redeemedAgain = false
  }

  /** What came before is forgotten: the next connection begins with a join token. */
  #startOver(): void {
    this.#resume = null
    this.#position = null
  }

  retryNow(): void {
    this.#socket.retryNow()
  }

  renew(): void {
    this.#socket.renew()
  }

  /** Throws `ProblemError`: the server's refusal, `offline` or `timeout`. */
  command<Name extends keyof Commands>(
    name: Name,
    body: Commands[Name]['body'],
    timeoutMs?: number,
  ): Promise<Commands[Name]['reply']> {
    return this.#socket.command(name, body, timeoutMs)
  }

  async #credentials(): Promise<Record<string, unknown>> {
    if (this.#resume === null) return { token: await this.#owner.joinToken() }
    return { resume: this.#resume, ...this.#position }
  }

  #notices(): Record<string, (body: never) => void> {
    const pass =
      <Name extends keyof Notices>(name: Name) =>
      (body: Notices[Name]) => {
        this.#note(name, body)
        this.#owner.onNotice(name, body)
      }
    return Object.fromEntries(NOTICES.map((name) => [name, pass(name) as (body: never) => void]))
  }

  /** Keep what the next connect must say. */
  #note(name: keyof Notices, body: Notices[keyof Notices]): void {
    if (name === 'welcome') {
      const { resume, room } = body as Notices['welcome']
      this.#resume = resume
      this.#redeemedAgain = false
      if (room) this.#position = { room: room.id, seq: room.seq }
    } else if (name === 'resume') {
      this.#resume = (body as Notices['resume']).resume
    } else if (name === 'place') {
      const { room } = body as Notices['place']
      this.#position = { room: room.id, seq: room.seq }
    } else if (name === 'event') {
      const { room, seq } = body as Notices['event']
      this.#position = { room, seq }
    }
  }

  #refused(problem: ProblemError): void {
    if (this.#resume !== null && RESUME_REFUSED.has(problem.code) && !this.#redeemedAgain) {
      this.#startOver()
      this.#redeemedAgain = true
      this.#socket.open()
      return
    }
    this.#owner.onRefused(problem)
  }
}
