import {
  UNLIMITED,
  cameraSize,
  degradationOf,
  type PictureDemand,
  type PictureSize,
} from './encodings'

/** What is to be sent of a picture of this size; null while the browser does not say. */
export type Encodings = (
  size: PictureSize | null,
  demand: PictureDemand,
) => RTCRtpEncodingParameters[]

type Parameters = Pick<RTCRtpSender, 'getParameters' | 'setParameters'>

/**
 * Keeps a sender's encodings as they should be: the layers that its source has, somebody watches
 * and this machine can bear, each with no more bits than are of use.
 *
 * A browser takes one change at a time and only with the parameters it gave last (WebRTC 5.2), so
 * changes wait for each other; of several that came meanwhile the last one counts.
 */
export class SentLayers {
  readonly #sender: Parameters
  readonly #encodings: Encodings
  #track: MediaStreamTrack | null = null
  #demand: PictureDemand = UNLIMITED
  /** What the browser was told to keep; not every one of them gives it back. */
  #preference: RTCDegradationPreference | null = null
  #fitting: Promise<void> | null = null
  #stale = false

  constructor(sender: Parameters, encodings: Encodings) {
    this.#sender = sender
    this.#encodings = encodings
  }

  /** This track is about to be sent; resolves when its layers are set, however that went. */
  use(track: MediaStreamTrack | null): Promise<void> {
    this.#track = track
    return this.fit()
  }

  ask(demand: PictureDemand): Promise<void> {
    this.#demand = demand
    return this.fit()
  }

  /** Look again: a phone was turned, a camera fell back to another size. */
  fit(): Promise<void> {
    if (!this.#track) return Promise.resolve()
    this.#stale = true
    this.#fitting ??= this.#settle()
    return this.#fitting
  }

  async #settle(): Promise<void> {
    while (this.#stale && this.#track) {
      this.#stale = false
      await this.#adopt(this.#track)
    }
    // In one step with the last look: a demand that came in between would wait for the next.
    this.#fitting = null
  }

  async #adopt(track: MediaStreamTrack): Promise<void> {
    try {
      const parameters = this.#sender.getParameters()
      const wanted = this.#encodings(cameraSize(track), this.#demand)
      const changed = changeLayers(parameters.encodings, wanted)
      const preference = degradationOf(wanted) ?? this.#usual()
      if (!changed && preference === this.#preference) return
      if (preference) parameters.degradationPreference = preference
      await this.#sender.setParameters(parameters)
      this.#preference = preference
    } catch {
      // Closed in between, or a browser that refuses: the layers it has are sent on.
    }
  }

  /** Browsers keep a camera's frame rate; who was told otherwise has to be told that again. */
  #usual(): RTCDegradationPreference | null {
    return this.#preference && 'maintain-framerate'
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

function sameLayer(one: RTCRtpEncodingParameters, wish: RTCRtpEncodingParameters): boolean {
  return (Object.keys(wish) as (keyof RTCRtpEncodingParameters)[]).every(
    (key) => one[key] === wish[key],
  )
}
