import { Diagnosis, blame, isUnconnected, type Means } from './diagnosis'
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

  /** Once a second: the sample as it counts for what people see. */
  look(sample: PathSample, room: RoomView | null, slots: readonly SlotView[]): PathSample {
    return { ...sample, slots: this.#pictures.take(sample.slots, this.#shownSlots(room, slots)) }
  }

  /** What all that means for ourselves. */
  judge(verdict: Verdict, me: string, means: Means): Quality {
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

  /** Whether nothing can come from them, because one of us is not connected. */
  cut(theirs: PeerQuality): boolean {
    return isUnconnected(this.#own) || isUnconnected(theirs)
  }

  #shownSlots(room: RoomView | null, slots: readonly SlotView[]): ShownSlot[] {
    return slots.flatMap(({ mid, participant, source, paused }) => {
      if (participant === null || source !== 'camera') return []
      const person = room?.participants.find(({ id }) => id === participant)
      const sent = person?.camera === true && person.connected && !paused
      const due = sent && this.#drawn.isDrawn(participant, source)
      return [{ mid, shows: shownIn(participant, source), due }]
    })
  }
}
