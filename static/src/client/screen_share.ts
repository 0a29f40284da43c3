import { SCREEN_FRAME_RATE } from './encodings'
import { ProblemError } from './problem'

export interface ScreenShareOwner {
  /** Send this track as the screen, or nothing. */
  send(track: MediaStreamTrack | null): Promise<void>
  /** The person ended it in the browser's own bar, or the window is gone. */
  onEnded(): void
}

/** Our own shared screen. */
export class ScreenShare {
  readonly #owner: ScreenShareOwner
  #stream: MediaStream | null = null

  constructor(owner: ScreenShareOwner) {
    this.#owner = owner
  }

  get stream(): MediaStream | null {
    return this.#stream
  }

  /**
   * Let the person choose, then ask the server by `permit`, then send.
   *
   * The browser's question comes first because it wants the tap. Returns false if the person
   * closed it. Throws `ProblemError` as `permit` does, or `screen_unsupported`.
   */
  async start(permit: () => Promise<unknown>): Promise<boolean> {
    const stream = await ask()
    if (!stream) return false
    const [track] = stream.getVideoTracks()
    try {
      await permit()
    } catch (error) {
      stop(stream)
      throw error
    }
    if (!track || track.readyState === 'ended') {
      stop(stream)
      this.#owner.onEnded()
      return false
    }
    if ('contentHint' in track) track.contentHint = 'detail'
    track.onended = () => this.#owner.onEnded()
    this.#stream = stream
    await this.#owner.send(track)
    return true
  }

  async stop(): Promise<void> {
    const stream = this.#stream
    if (!stream) return
    this.#stream = null
    stop(stream)
    await this.#owner.send(null)
  }
}

async function ask(): Promise<MediaStream | null> {
  const media = navigator.mediaDevices as MediaDevices | undefined
  if (typeof media?.getDisplayMedia !== 'function') {
    throw new ProblemError('screen_unsupported', 'this browser cannot share a screen')
  }
  try {
    return await media.getDisplayMedia({
      video: { frameRate: { ideal: SCREEN_FRAME_RATE, max: SCREEN_FRAME_RATE } },
      audio: false,
    })
  } catch (error) {
    const { name } = (error ?? {}) as { name?: string }
    if (name === 'NotAllowedError' || name === 'AbortError') return null
    throw new ProblemError('screen_unsupported', 'the screen could not be captured')
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) {
    track.onended = null
    track.stop()
  }
}
