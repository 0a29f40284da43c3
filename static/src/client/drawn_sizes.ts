/** Tells the server how large each slot is drawn, so that nothing larger is sent. */
import type { PictureSize } from './encodings'
import type { SlotSize, SlotView } from './protocol'

/** Whose picture of which kind. */
export type DrawnSource = 'camera' | 'screen'

/** While a window is dragged its tiles change at every frame. The first growth is told at once. */
const SETTLING_MS = 200
const HIDDEN: PictureSize = { width: 0, height: 0 }

export class DrawnSizes {
  readonly #tell: (sizes: SlotSize[]) => Promise<unknown>
  readonly #drawn = new Map<string, PictureSize>()
  #slots: SlotView[] = []
  #told = new Map<string, PictureSize>()
  #pageHidden = document.visibilityState === 'hidden'
  #toldAtMs = -Infinity
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(tell: (sizes: SlotSize[]) => Promise<unknown>) {
    this.#tell = tell
    // A page that nobody looks at draws nothing; sound goes on.
    document.addEventListener('visibilitychange', () => {
      this.#pageHidden = document.visibilityState === 'hidden'
      this.#changed()
    })
  }

  set(participant: string, source: DrawnSource, size: PictureSize): void {
    const key = drawnKey(participant, source)
    if (size.width > 0 && size.height > 0) this.#drawn.set(key, whole(size))
    else this.#drawn.delete(key)
    this.#changed()
  }

  setSlots(slots: SlotView[]): void {
    this.#slots = slots.filter(({ source }) => source === 'camera' || source === 'screen')
    this.#changed()
  }

  /** Whether anybody looks at this picture. */
  isDrawn(participant: string, source: DrawnSource): boolean {
    return !this.#pageHidden && this.#drawn.has(drawnKey(participant, source))
  }

  /** A server that greets us again, or has a new connection of ours, knows nothing of it. */
  forget(): void {
    this.#told = new Map()
    this.#toldAtMs = -Infinity
    this.#changed()
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#drawn.clear()
    this.#slots = []
    this.#told = new Map()
  }

  #changed(): void {
    const grown = this.#slots.some((slot) => {
      const told = this.#told.get(slot.mid) ?? HIDDEN
      const size = this.#sizeOf(slot)
      return size.width > told.width || size.height > told.height
    })
    if (grown && Date.now() - this.#toldAtMs >= SETTLING_MS) return this.#send()
    this.#timer ??= setTimeout(() => this.#send(), SETTLING_MS)
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const sizes = new Map(this.#slots.map((slot) => [slot.mid, this.#sizeOf(slot)]))
    if (!sizes.size || sameSizes(sizes, this.#told)) return
    this.#told = sizes
    this.#toldAtMs = Date.now()
    const list = [...sizes].map(([slot, { width, height }]) => ({ slot, width, height }))
    this.#tell(list).catch(() => {
      // Offline or refused: told again with the next change, or with the next greeting.
      if (this.#told === sizes) this.#told = new Map()
    })
  }

  #sizeOf({ participant, source }: SlotView): PictureSize {
    if (this.#pageHidden || participant === null) return HIDDEN
    return this.#drawn.get(drawnKey(participant, source as DrawnSource)) ?? HIDDEN
  }
}

// An id has no colon in it: the protocol's pattern for ids forbids it.
const drawnKey = (participant: string, source: DrawnSource): string => `${participant}:${source}`

const whole = ({ width, height }: PictureSize): PictureSize => ({
  width: Math.ceil(width),
  height: Math.ceil(height),
})

function sameSizes(one: Map<string, PictureSize>, other: Map<string, PictureSize>): boolean {
  const same = ([mid, size]: [string, PictureSize]): boolean => {
    const before = other.get(mid)
    return before?.width === size.width && before.height === size.height
  }
  return one.size === other.size && [...one].every(same)
}
