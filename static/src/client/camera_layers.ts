import {
  UNLIMITED,
  cameraEncodings,
  cameraSize,
  type CameraDemand,
  type PictureSize,
} from './encodings'
import type { VideoClass } from './video_class'

type Parameters = Pick<RTCRtpSender, 'getParameters' | 'setParameters'>

/**
 * Keeps the camera's encodings as they should be: the layers that the camera has, somebody
 * watches and this machine can bear.
 *
 * A browser takes one change at a time and only with the parameters it gave last (WebRTC 5.2), so
 * changes wait for each other; of several that came meanwhile the last one counts.
 */
export class CameraLayers {
  readonly #sender: Parameters
  readonly #kind: VideoClass
  #track: MediaStreamTrack | null = null
  #demand: CameraDemand = UNLIMITED
  #fitting: Promise<void> | null = null
  #stale = false

  constructor(sender: Parameters, kind: VideoClass) {
    this.#sender = sender
    this.#kind = kind
  }

  /** This track is about to be sent; resolves when its layers are set, however that went. */
  use(track: MediaStreamTrack | null): Promise<void> {
    this.#track = track
    return this.fit()
  }

  ask(demand: CameraDemand): Promise<void> {
    this.#demand = demand
    return this.fit()
  }

  /** Look again: a phone was turned, a camera fell back to another size. */
  fit(): Promise<void> {
    if (!this.#track) return Promise.resolve()
    this.#stale = true
    this.#fitting ??= this.#settle().finally(() => (this.#fitting = null))
    return this.#fitting
  }

  async #settle(): Promise<void> {
    while (this.#stale && this.#track) {
      this.#stale = false
      await this.#adopt(cameraSize(this.#track))
    }
  }

  async #adopt(size: PictureSize | null): Promise<void> {
    try {
      const parameters = this.#sender.getParameters()
      const wanted = cameraEncodings(this.#kind, size, this.#demand)
      if (changeLayers(parameters.encodings, wanted)) await this.#sender.setParameters(parameters)
    } catch {
      // Closed in between, or a browser that refuses: the layers it has are sent on.
    }
  }
}

/** Bring our settings into the browser's encodings; returns whether anything changed. */
function changeLayers(
  encodings: RTCRtpEncodingParameters[],
  wanted: RTCRtpEncodingParameters[],
): boolean {
  let changed = false
  for (const encoding of encodings) {
    const layer = wanted.find(({ rid }) => rid === encoding.rid)
    if (!layer || sameLayer(encoding, layer)) continue
    Object.assign(encoding, layer)
    changed = true
  }
  return changed
}

function sameLayer(one: RTCRtpEncodingParameters, other: RTCRtpEncodingParameters): boolean {
  return (
    one.active === other.active &&
    one.scaleResolutionDownBy === other.scaleResolutionDownBy &&
    one.maxBitrate === other.maxBitrate
  )
}
