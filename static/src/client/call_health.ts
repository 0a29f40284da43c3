import { Diagnosis, blame, type Means } from './diagnosis'
import type { DrawnSizes } from './drawn_sizes'
import { PictureWatch, type ShownSlot, type SlotState } from './pictures'
import type { ParticipantView, QualityCause, QualityChanged, RoomView, SlotView } from './protocol'
import { GOOD } from './quality'
import type { PathSample } from './stats'
import { shownIn, type Sight } from './tiles'
import type { PeerQuality, Quality, Tile, Verdict } from './types'

/** What one visit knows of connections and pictures: measured here, and told by the server. */
export class CallHealth implements Sight {
  readonly #drawn: DrawnSizes
  readonly #diagnosis = new Diagnosis()
  readonly #pictures = new PictureWatch()
  #own: Quality = { ...GOOD, advice: 'none' }

  constructor(drawn: DrawnSizes) {
    this.#drawn = drawn
  }

  hear(changed: QualityChanged): void {
    this.#diagnosis.hear(changed, Date.now())
  }

  /** The server greets us: it tells anew what is not good. */
  forget(): void {
    this.#diagnosis.forget()
  }

  clear(): void {
    this.#diagnosis.clear()
    this.#pictures.clear()
    this.#own = { ...GOOD, advice: 'none' }
  }

  /** Once a second, without a sample while the path is gone. */
  take(
    sample: PathSample | null,
    verdict: Verdict,
    me: string,
    means: Means,
    shown: { room: RoomView | null; slots: readonly SlotView[] },
  ): Quality {
    // While nothing can be measured the pictures stand, and the notice of reconnecting says why.
    if (sample) this.#pictures.take(sample.slots, this.#shownSlots(shown.room, shown.slots))
    this.#own = this.#diagnosis.own(verdict, me, means, Date.now())
    return this.#own
  }

  /** What the server believes it can send to us. */
  receivableBps(me: string): number | null {
    return this.#diagnosis.told(me, Date.now()).facts?.estimate_bps ?? null
  }

  state(mid: string, shows: string): SlotState {
    return this.#pictures.state(mid, shows)
  }

  size(mid: string, shows: string): Tile['size'] {
    return this.#pictures.size(mid, shows)
  }

  peer({ id, quality }: ParticipantView): PeerQuality {
    return this.#diagnosis.peer(id, quality, Date.now())
  }

  blame(theirs: PeerQuality): QualityCause {
    return blame(this.#own, theirs)
  }

  #shownSlots(room: RoomView | null, slots: readonly SlotView[]): ShownSlot[] {
    return slots.flatMap(({ mid, participant, source }) => {
      if (participant === null || source !== 'camera') return []
      const person = room?.participants.find(({ id }) => id === participant)
      const due =
        person?.camera === true && person.connected && this.#drawn.isDrawn(participant, source)
      return [{ mid, shows: shownIn(participant, source), due }]
    })
  }
}
