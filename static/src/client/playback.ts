import { Observable } from './observable'
import { mark } from './timeline'

export interface PlaybackState {
  /** The browser keeps others' voices silent until the person touches the page. */
  blocked: boolean
}

/** What all `<video>`s of a page share: the browser may refuse to play before a touch. */
class Playback extends Observable<PlaybackState> {
  readonly #waiting = new Set<HTMLMediaElement>()

  constructor() {
    super({ blocked: false })
  }

  play(element: HTMLMediaElement): void {
    element.play().then(
      () => this.#started(element),
      (error: unknown) => this.#refused(element, error),
    )
  }

  forget(element: HTMLMediaElement): void {
    this.#started(element)
  }

  #started(element: HTMLMediaElement): void {
    this.#waiting.delete(element)
    if (!this.#waiting.size && this.state.blocked) this.update({ blocked: false })
  }

  #refused(element: HTMLMediaElement, error: unknown): void {
    // Any other refusal is a source that was exchanged before it played.
    if ((error as { name?: string } | null)?.name !== 'NotAllowedError') return
    if (!this.#waiting.size) {
      for (const event of ['pointerup', 'touchend', 'keydown']) {
        document.addEventListener(event, () => this.#retry(), { once: true, capture: true })
      }
    }
    this.#waiting.add(element)
    this.update({ blocked: true })
  }

  #retry(): void {
    for (const element of this.#waiting) this.play(element)
  }
}

export const playback = new Playback()

/** Show a stream in a `<video>`; the same stream again changes nothing. */
export function showStream(
  video: HTMLVideoElement,
  stream: MediaStream | null,
  participant?: string,
): void {
  if (video.srcObject === stream) return
  video.srcObject = stream
  if (!stream) {
    playback.forget(video)
    return
  }
  playback.play(video)
  if (participant !== undefined) markFirstFrame(video, stream, participant)
}

function markFirstFrame(video: HTMLVideoElement, stream: MediaStream, participant: string): void {
  video.requestVideoFrameCallback?.(() => {
    if (video.srcObject === stream) mark('frame.first', { participant })
  })
}
