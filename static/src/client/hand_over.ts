import type { RoomView } from './protocol'
import type { Requests } from './requests'
import type { TakeBack } from './types'

/** Moving a candidate on, and the last such move offered for undoing until its time is over. */
export class HandOver {
  readonly #requests: Requests
  readonly #onOffer: (offered: TakeBack | null) => void
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(requests: Requests, onOffer: (offered: TakeBack | null) => void) {
    this.#requests = requests
    this.#onOffer = onOffer
  }

  /** To the next round unless `round` names another. */
  async move(room: RoomView | null, participant: string, round?: string): Promise<boolean> {
    const name = room?.participants.find(({ id }) => id === participant)?.name ?? ''
    const rounds = room?.rounds ?? []
    const reply = await this.#requests.ask('round.hand_over', { participant, round: round ?? null })
    if (!reply) return false
    const to = rounds.find(({ id }) => id === reply.round)
    if (to) this.#offer({ participant, name, round: to }, reply.undo_ms)
    return true
  }

  async takeBack(participant: string): Promise<boolean> {
    const done = await this.#requests.did('round.take_back', { participant })
    this.withdraw()
    return done
  }

  /** Nothing can be undone any more. */
  withdraw(): void {
    if (this.#timer === null) return
    clearTimeout(this.#timer)
    this.#timer = null
    this.#onOffer(null)
  }

  #offer(moved: Omit<TakeBack, 'untilMs'>, undoMs: number): void {
    this.withdraw()
    this.#onOffer({ ...moved, untilMs: Date.now() + undoMs })
    this.#timer = setTimeout(() => this.withdraw(), undoMs)
  }
}
