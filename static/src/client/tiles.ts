import type { ParticipantView, QualityCause, RoomView, SlotView, SourceKind } from './protocol'
import type { SlotState } from './pictures'
import type { PeerQuality, SharedScreen, Tile } from './types'

/** The receiving track of a slot, by its mid; null while there is none. */
export type TrackOf = (mid: string) => MediaStreamTrack | null

/** What is known of pictures and connections, for the tiles that show them. */
export interface Sight {
  state(mid: string, shows: string): SlotState
  size(mid: string, shows: string): Tile['size']
  peer(participant: ParticipantView): PeerQuality
  cut(theirs: PeerQuality): boolean
  blame(theirs: PeerQuality): QualityCause
}

/**
 * What is drawn of the others: one stream for each participant and for each shared screen.
 *
 * Slots are reassigned while people come and go; a stream stays the same object and only the
 * tracks in it change, so that a `<video>` showing it neither flickers nor restarts.
 */
export class Tiles {
  readonly #streams = new Map<string, MediaStream>()
  readonly #speaking = new Set<string>()
  #slots: SlotView[] = []

  setSlots(slots: SlotView[]): void {
    this.#slots = slots
  }

  get slots(): readonly SlotView[] {
    return this.#slots
  }

  setSpeaking(participant: string, speaking: boolean): void {
    if (speaking) this.#speaking.add(participant)
    else this.#speaking.delete(participant)
  }

  clear(): void {
    this.#slots = []
    this.#speaking.clear()
    this.#streams.clear()
  }

  /** One tile for each of the others in the room, in the room's order. */
  draw(room: RoomView, me: string, trackOf: TrackOf, sight: Sight): Tile[] {
    const others = othersIn(room, me)
    const tiles = others.map((participant) => this.#tile(participant, trackOf, sight))
    this.#forget(new Set(others.map(({ id }) => id)))
    return tiles
  }

  /** The shared screen of another; null if none, or if it is our own. */
  screen(room: RoomView, me: string, trackOf: TrackOf): SharedScreen | null {
    const participant = room.participants.find(({ id }) => id === room.screen)
    if (!participant || participant.id === me) {
      for (const key of this.#streams.keys()) if (isScreen(key)) this.#streams.delete(key)
      return null
    }
    const key = screenKey(participant.id)
    const stream = this.#stream(key, [this.#track(participant.id, 'screen', trackOf)])
    return { participant, stream, mine: false }
  }

  #tile(participant: ParticipantView, trackOf: TrackOf, sight: Sight): Tile {
    const { id } = participant
    const voice = this.#track(id, 'microphone', trackOf)
    const camera = this.#slot(id, 'camera')
    const picture = camera && trackOf(camera.mid)
    const videoOn = participant.camera && picture !== null
    const quality = sight.peer(participant)
    const shows = shownIn(id, 'camera')
    const cut = sight.cut(quality)
    return {
      participant,
      stream: this.#stream(id, [voice, picture]),
      videoOn,
      audioOn: participant.microphone,
      speaking: participant.microphone && this.#speaking.has(id),
      picture: cut ? 'cut' : camera && videoOn ? pictureState(camera, shows, sight) : 'off',
      size: camera && videoOn ? sight.size(camera.mid, shows) : null,
      quality,
      // The server holds a picture back for the viewer's network alone.
      blame: camera?.paused && !cut ? 'self' : sight.blame(quality),
    }
  }

  #slot(participant: string, source: SlotView['source']): SlotView | null {
    return (
      this.#slots.find((one) => one.participant === participant && one.source === source) ?? null
    )
  }

  #track(
    participant: string,
    source: SlotView['source'],
    trackOf: TrackOf,
  ): MediaStreamTrack | null {
    const slot = this.#slot(participant, source)
    return slot && trackOf(slot.mid)
  }

  #stream(key: string, tracks: (MediaStreamTrack | null)[]): MediaStream {
    let stream = this.#streams.get(key)
    if (!stream) {
      stream = new MediaStream()
      this.#streams.set(key, stream)
    }
    const wanted = new Set(tracks.filter((track) => track !== null))
    for (const track of stream.getTracks()) if (!wanted.has(track)) stream.removeTrack(track)
    for (const track of wanted) if (!stream.getTracks().includes(track)) stream.addTrack(track)
    return stream
  }

  #forget(present: Set<string>): void {
    for (const key of this.#streams.keys()) {
      if (!isScreen(key) && !present.has(key)) this.#streams.delete(key)
    }
    for (const id of this.#speaking) if (!present.has(id)) this.#speaking.delete(id)
  }
}

function pictureState(slot: SlotView, shows: string, sight: Sight): SlotState {
  return slot.paused ? 'paused' : sight.state(slot.mid, shows)
}

export function othersIn(room: RoomView, me: string): ParticipantView[] {
  return room.participants.filter(({ id, placement }) => id !== me && placement === 'room')
}

/** Whom and what a slot shows, as one word. */
export const shownIn = (participant: string, source: SourceKind): string =>
  `${participant}:${source}`

const screenKey = (participant: string): string => `screen:${participant}`
// An id has no colon in it: the protocol's pattern for ids forbids it.
const isScreen = (key: string): boolean => key.startsWith('screen:')
