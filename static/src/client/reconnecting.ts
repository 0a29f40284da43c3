import { retryDelayMs } from './backoff'
import { MALFORMED, OFFLINE, ProblemError, TIMEOUT, parseProblem } from './problem'
import type { Credentials, OpenSocket, SocketLike } from './socket'

const ACK_TIMEOUT_MS = 8_000

/** Codes of a refused connection that time may heal; any other refusal is final. */
const PASSING_CODES = new Set(['busy', 'rate_limited', 'internal'])

export interface Line {
  /** What to say at the next connect; asked anew for each attempt. Throws `ProblemError`. */
  credentials(): Promise<Credentials>
  /** The server's messages, by event name. */
  notices: Record<string, (body: never) => void>
  onUp?(): void
  onDown?(): void
  /** The server refused this client for good. */
  onRefused(problem: ProblemError): void
}

/**
 * A Socket.IO connection that comes back for as long as it is wanted.
 *
 * Owners call `open` once, `close` to end it, and `retryNow` when the network changed.
 */
export class ReconnectingSocket {
  readonly #open: OpenSocket
  readonly #line: Line
  #socket: SocketLike | null = null
  #up = false
  #wanted = false
  #attempt = 0
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(open: OpenSocket, line: Line) {
    this.#open = open
    this.#line = line
  }

  get up(): boolean {
    return this.#up
  }

  open(): void {
    if (this.#wanted) return
    this.#wanted = true
    this.#attempt = 0
    this.#connect()
  }

  close(): void {
    this.#wanted = false
    this.#clearTimer()
    this.#drop()
  }

  /** Do not wait for the next turn of the back-off. Nothing happens while the line is up. */
  retryNow(): void {
    if (!this.#wanted || this.#timer === null) return
    this.#attempt = 0
    this.#clearTimer()
    this.#connect()
  }

  /** Give up a connection that only seems to be up, and connect again. */
  renew(): void {
    if (!this.#wanted || !this.#up) return
    this.#lost(this.#socket)
  }

  /** Send and wait for the acknowledgement's `data`. Throws `ProblemError`. */
  command<Reply>(type: string, body: unknown, timeoutMs = ACK_TIMEOUT_MS): Promise<Reply> {
    const socket = this.#socket
    if (!socket || !this.#up) {
      return Promise.reject(new ProblemError(OFFLINE, 'there is no connection to the server'))
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new ProblemError(TIMEOUT, `${type} was not acknowledged in time`)),
        timeoutMs,
      )
      socket.emit(type, body, (answer) => {
        clearTimeout(timer)
        settle(answer, resolve as (data: unknown) => void, reject)
      })
    })
  }

  /** The transport opens while the credentials are still on their way. */
  #connect(): void {
    const asked = this.#line.credentials()
    const socket = this.#open(() => asked)
    this.#attach(socket)
    asked.catch((error: unknown) => {
      if (this.#socket !== socket) return
      this.#drop()
      this.#failed(error)
    })
  }

  #attach(socket: SocketLike): void {
    this.#socket = socket
    const current = (): boolean => this.#socket === socket && this.#wanted
    socket.on('connect', () => current() && this.#raised())
    socket.on('connect_error', (error: Error & { data?: unknown }) => {
      if (!current()) return
      this.#drop()
      this.#failed(parseProblem(error.data) ?? error)
    })
    socket.on('disconnect', () => current() && this.#lost(socket))
    for (const [event, take] of Object.entries(this.#line.notices)) {
      socket.on(event, (body: never) => {
        if (current()) take(body)
      })
    }
  }

  #raised(): void {
    this.#up = true
    this.#attempt = 0
    this.#line.onUp?.()
  }

  #lost(socket: SocketLike | null): void {
    if (socket !== this.#socket) return
    this.#drop()
    this.#line.onDown?.()
    if (this.#wanted) this.#schedule()
  }

  /** An attempt came to nothing: a refusal is final, anything else is tried again. */
  #failed(error: unknown): void {
    if (!this.#wanted) return
    if (error instanceof ProblemError && !isPassing(error.code)) {
      this.#wanted = false
      this.#line.onRefused(error)
      return
    }
    this.#schedule()
  }

  #schedule(): void {
    this.#clearTimer()
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#connect()
    }, retryDelayMs(this.#attempt++))
  }

  #drop(): void {
    const socket = this.#socket
    this.#socket = null
    this.#up = false
    socket?.disconnect()
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}

function isPassing(code: string): boolean {
  return PASSING_CODES.has(code) || code === OFFLINE || code === TIMEOUT || /^http_5/.test(code)
}

function settle(
  answer: unknown,
  resolve: (data: unknown) => void,
  reject: (error: ProblemError) => void,
): void {
  const { ok, data, error } = (answer ?? {}) as Record<string, unknown>
  if (ok === true) return resolve(data ?? {})
  reject(parseProblem(error) ?? new ProblemError(MALFORMED, 'not an acknowledgement'))
}
