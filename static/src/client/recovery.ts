/** When to mend the media path, and how: a pure machine, asked on each change and each tick. */

export type Mending = 'none' | 'restart' | 'rebuild'

const BETWEEN_RESTARTS_MS = 3_000
/** After so many restarts in vain the connection itself is given up. */
const RESTARTS_BEFORE_REBUILD = 3
/** From here on the server has forgotten the path; see `media.lost` of the protocol. */
const SILENT_FOR_REBUILD_MS = 15_000
/** A first connection that has not come up by then is begun again. */
const CONNECT_TIMEOUT_MS = 10_000

export class Recovery {
  #restarts = 0
  #lastMs = -Infinity
  #connectingSinceMs: number | null = null

  /** A new connection was begun. */
  begun(nowMs: number): void {
    this.#connectingSinceMs = nowMs
    this.#lastMs = nowMs
  }

  connected(): void {
    this.#restarts = 0
    this.#connectingSinceMs = null
  }

  /** The state now; asked on every change and about once a second while it is not connected. */
  onState(state: RTCPeerConnectionState, nowMs: number): Mending {
    if (state === 'connected') {
      this.connected()
      return 'none'
    }
    if (state === 'closed') return this.#anew(nowMs)
    if (state === 'failed' || state === 'disconnected') return this.#mend(nowMs)
    const since = this.#connectingSinceMs
    return since !== null && nowMs - since >= CONNECT_TIMEOUT_MS ? 'rebuild' : 'none'
  }

  /** The server has heard nothing for so long. */
  onSilence(silentMs: number, nowMs: number): Mending {
    return silentMs >= SILENT_FOR_REBUILD_MS ? 'rebuild' : this.#mend(nowMs)
  }

  /** The socket is back. `kept`: the server still knows the connection. */
  onWelcome(kept: boolean, state: RTCPeerConnectionState, nowMs: number): Mending {
    if (!kept || state === 'closed') return 'rebuild'
    if (state === 'connected') return 'none'
    this.#lastMs = -Infinity
    return this.#mend(nowMs)
  }

  /** Another network: the old addresses are worthless, whatever the state still says. */
  onNetworkChange(nowMs: number): Mending {
    this.#lastMs = -Infinity
    return this.#mend(nowMs)
  }

  /** Given up, maybe by a refusal: not more often than a restart. */
  #anew(nowMs: number): Mending {
    return nowMs - this.#lastMs < BETWEEN_RESTARTS_MS ? 'none' : 'rebuild'
  }

  #mend(nowMs: number): Mending {
    if (nowMs - this.#lastMs < BETWEEN_RESTARTS_MS) return 'none'
    this.#lastMs = nowMs
    return ++this.#restarts > RESTARTS_BEFORE_REBUILD ? 'rebuild' : 'restart'
  }
}
