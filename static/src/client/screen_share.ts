import { SCREEN_FRAME_RATE } from './encodings'
import { ProblemError } from './problem'
import type { Requests } from './requests'

export interface ScreenShareOwner {
  /** Send this track as the screen, or nothing. */
  send(track: MediaStreamTrack | null): Promise<void>
  /** Our screen appeared or went: draw anew. */
  onChange(): void
}

/** Our own shared screen. */
export class ScreenShare {
  readonly #requests: Requests
  readonly #owner: ScreenShareOwner
  #stream: MediaStream | null = null

  constructor(requests: Requests, owner: ScreenShareOwner) {
    this.#requests = requests
    this.#owner = owner
  }

  get stream(): MediaStream | null {
    return this.#stream
  }

  /** Let the person choose and share that. False: nothing is shared. */
  async start(): Promise<boolean> {
    if (this.#stream) return true
    try {
      return await this.#share()
    } catch (error) {
      this.#requests.tell(error)
      return false
    } finally {
      this.#owner.onChange()
    }
  }

  /** By choice, here or in the browser's own bar. */
  async stop(): Promise<boolean> {
    await this.letGo()
    this.#owner.onChange()
    return this.#requests.did('screen.stop', {})
  }

  /** Stop without a word: the server knows, or another has taken the screen. */
  async letGo(): Promise<void> {
    const stream = this.#stream
    if (!stream) return
    this.#stream = null
    stop(stream)
    await this.#owner.send(null)
  }

  /**
   * The browser's question comes before the server's because it wants the tap. False if the
   * person closed it. Throws `ProblemError`: the server's refusal or `screen_unsupported`.
   */
  async #share(): Promise<boolean> {
    const stream = await ask()
    if (!stream) return false
    const [track] = stream.getVideoTracks()
    try {
      await this.#requests.send('screen.start', {})
    } catch (error) {
      stop(stream)
      throw error
    }
    if (!track || track.readyState === 'ended') {
      stop(stream)
      void this.stop()
      return false
    }
    if ('contentHint' in track) track.contentHint = 'detail'
    track.onended = () => void this.stop()
    this.#stream = stream
    await this.#owner.send(track)
    return true
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
