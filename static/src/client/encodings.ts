/** What our camera and screen are sent as. */

export type VideoClass = 'phone' | 'desktop' | 'strong_desktop'

/** A desktop with fewer cores drops frames when it encodes 1080p three times over. */
const STRONG_CORES = 8

export function videoClass(phone: boolean, cores: number): VideoClass {
  if (phone) return 'phone'
  return cores >= STRONG_CORES ? 'strong_desktop' : 'desktop'
}

const LAYER_BPS: Record<VideoClass, [number, number, number]> = {
  phone: [150_000, 500_000, 1_500_000],
  desktop: [150_000, 500_000, 1_700_000],
  strong_desktop: [200_000, 700_000, 3_000_000],
}

/** Simulcast layers, lowest first as the browsers want them (RFC 8853 order of `sendEncodings`). */
export function cameraEncodings(kind: VideoClass): RTCRtpEncodingParameters[] {
  const [quarter, half, full] = LAYER_BPS[kind]
  return [
    { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: quarter },
    { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: half },
    { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: full },
  ]
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
