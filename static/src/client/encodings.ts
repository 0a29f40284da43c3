/** What our camera and screen are sent as. */

export type VideoClass = 'phone' | 'desktop' | 'strong_desktop'

/** A desktop with fewer cores drops frames when it encodes 1080p three times over. */
const STRONG_CORES = 8

export function videoClass(phone: boolean, cores: number): VideoClass {
  if (phone) return 'phone'
  return cores >= STRONG_CORES ? 'strong_desktop' : 'desktop'
}

interface Layer {
  scale: number
  bps: number
}

type Layers = Record<'q' | 'h' | 'f', Layer>

const LAYERS: Record<VideoClass, Layers> = {
  phone: fullLadder(150_000, 500_000, 1_500_000),
  desktop: fullLadder(150_000, 500_000, 1_700_000),
  strong_desktop: fullLadder(200_000, 700_000, 3_000_000),
}

function fullLadder(quarter: number, half: number, full: number): Layers {
  return {
    q: { scale: 4, bps: quarter },
    h: { scale: 2, bps: half },
    f: { scale: 1, bps: full },
  }
}

/** Smaller cameras, by the pixels they stay below; a layer not named is not sent. */
const SMALL_CAMERAS: { belowPixels: number; layers: Partial<Layers> }[] = [
  { belowPixels: 480 * 270, layers: { q: { scale: 1, bps: 400_000 } } },
  {
    belowPixels: 960 * 540,
    layers: { q: { scale: 2, bps: 150_000 }, h: { scale: 1, bps: 800_000 } },
  },
]

/** How many pixels a camera gives; null while the browser does not say. */
export function cameraPixels(track: MediaStreamTrack): number | null {
  const { width, height } = track.getSettings()
  return width && height ? width * height : null
}

/**
 * Simulcast layers, lowest first as the browsers want them (RFC 8853 order of `sendEncodings`).
 *
 * Chromium and Safari send three layers from 960x540 on, two from 480x270, else one, and leave
 * out the last ones named (libwebrtc, `video/config/simulcast.cc`). The highest layer that such a
 * camera may send must therefore be its full picture.
 */
export function cameraEncodings(
  kind: VideoClass,
  pixels: number | null = null,
): RTCRtpEncodingParameters[] {
  const small = SMALL_CAMERAS.find(({ belowPixels }) => pixels !== null && pixels < belowPixels)
  const sent: Partial<Layers> = small?.layers ?? LAYERS[kind]
  return (['q', 'h', 'f'] as const).map((rid) => {
    const { scale, bps } = sent[rid] ?? LAYERS[kind][rid]
    return { rid, active: rid in sent, scaleResolutionDownBy: scale, maxBitrate: bps }
  })
}

export const SCREEN_FRAME_RATE = 15

/** One layer: a slide that is not sharp is worth nothing. */
export const SCREEN_ENCODINGS: RTCRtpEncodingParameters[] = [
  { maxBitrate: 2_500_000, maxFramerate: SCREEN_FRAME_RATE },
]

export function cameraConstraints(kind: VideoClass): MediaTrackConstraints {
  const height = kind === 'strong_desktop' ? 1080 : 720
  return {
    width: { ideal: (height / 9) * 16 },
    height: { ideal: height },
    frameRate: { ideal: kind === 'phone' ? 24 : 30, max: 30 },
  }
}

export const MICROPHONE_CONSTRAINTS: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
}
