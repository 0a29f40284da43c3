/** What our camera and screen are sent as. */
import type { VideoClass } from './video_class'

export type Rid = 'q' | 'h' | 'f'

/** Lowest first, as browsers want them in `sendEncodings` (RFC 8853). */
export const RIDS: readonly Rid[] = ['q', 'h', 'f']

export interface PictureSize {
  width: number
  height: number
}

/** What is asked of our camera or screen just now, besides what it can do. */
export interface PictureDemand {
  /** Rids that somebody watches, "" for a source without any; null while the server has not said. */
  wanted: ReadonlySet<string> | null
  /** Shorter side in pixels; a data saver lowers it. */
  maxSide: number
  /** How many layers this machine may encode. */
  maxLayers: number
}

export const UNLIMITED: PictureDemand = {
  wanted: null,
  maxSide: Infinity,
  maxLayers: RIDS.length,
}

/** What a data saver sends and receives: the shorter side in pixels. */
export const SAVER_SIDE = 360

interface Capture {
  side: number
  frameRate: number
}

const CAPTURE: Record<VideoClass, Capture> = {
  weak_phone: { side: 480, frameRate: 20 },
  phone: { side: 720, frameRate: 24 },
  strong_phone: { side: 1080, frameRate: 24 },
  desktop: { side: 720, frameRate: 30 },
  strong_desktop: { side: 1080, frameRate: 30 },
}

/** The shorter sides that the layers have when the camera is large enough. */
const SIDES: Record<Rid, number> = { q: 360, h: 720, f: 1080 }

/** From this shorter side on, this much is enough for a talking head in VP8. */
const BITRATES = [
  { side: 1000, bps: 3_000_000 },
  { side: 700, bps: 1_500_000 },
  { side: 540, bps: 1_000_000 },
  { side: 480, bps: 800_000 },
  { side: 360, bps: 400_000 },
  { side: 240, bps: 250_000 },
  { side: 0, bps: 150_000 },
]

/** A phone's frame rate is lower, and its encoder in hardware spends what it is given. */
const PHONE_SHARE = 0.8

/**
 * Layers by the camera's shorter side. Browsers send three from 960x540 on, two from 480x270,
 * else one, and leave out the last ones named (libwebrtc, `video/config/simulcast.cc`): the
 * highest layer that such a camera may send must be its full picture.
 */
const LADDERS: { fromSide: number; rids: readonly Rid[] }[] = [
  { fromSide: 1000, rids: ['q', 'h', 'f'] },
  { fromSide: 270, rids: ['q', 'h'] },
  { fromSide: 0, rids: ['q'] },
]

/** How large a camera's pictures are; null while the browser does not say. */
export function cameraSize(track: MediaStreamTrack): PictureSize | null {
  const { width, height } = track.getSettings()
  return width && height ? { width, height } : null
}

/** Simulcast layers of a camera, lowest first. A size of null is taken for what we ask for. */
export function cameraEncodings(
  kind: VideoClass,
  size: PictureSize | null = null,
  demand: PictureDemand = UNLIMITED,
): RTCRtpEncodingParameters[] {
  const side = size ? Math.min(size.width, size.height) : CAPTURE[kind].side
  const rids = LADDERS.find(({ fromSide }) => side >= fromSide)?.rids ?? RIDS
  const active = chosen(rids, side, demand)
  return RIDS.map((rid) => {
    const scale = scaleOf(rid, rids, side)
    return {
      rid,
      active: active.has(rid),
      scaleResolutionDownBy: scale,
      maxBitrate: bitrateOf(side / scale, kind),
    }
  })
}

/** A layer that this camera does not have is not missed: the highest below stands for it. */
function chosen(rids: readonly Rid[], side: number, demand: PictureDemand): Set<Rid> {
  const able = rids
    .slice(0, demand.maxLayers)
    .filter((rid, place) => place === 0 || side / scaleOf(rid, rids, side) <= demand.maxSide)
  if (!demand.wanted) return new Set(able)
  const top = able.length - 1
  const watched = RIDS.filter((rid) => demand.wanted?.has(rid))
  return new Set(watched.map((rid) => able[Math.min(RIDS.indexOf(rid), top)] ?? 'q'))
}

/** The highest layer is the whole picture; below it the shorter side comes near to `SIDES`. */
function scaleOf(rid: Rid, rids: readonly Rid[], side: number): number {
  if (!rids.includes(rid) || rid === rids[rids.length - 1]) return 1
  const wish = side / SIDES[rid]
  // Half of a small camera's picture; a quarter of the way up is no layer of its own.
  return wish < 1.5 ? 2 : Math.round(wish * 100) / 100
}

function bitrateOf(side: number, kind: VideoClass): number {
  const bps = BITRATES.find((one) => side >= one.side)?.bps ?? 0
  return kind.endsWith('phone') ? bps * PHONE_SHARE : bps
}

/** Three temporal layers: a viewer's picture then loses frames before it loses sharpness. */
const TEMPORAL_LAYERS = 'L1T3'

/** With what the W3C's Scalable Video Coding extension adds, which TypeScript does not list. */
export interface ScalableEncoding extends RTCRtpEncodingParameters {
  scalabilityMode?: string
}

/** The first offer's encodings; `layered` where the browser takes a scalability mode. */
export function offeredEncodings(kind: VideoClass, layered: boolean): ScalableEncoding[] {
  return cameraEncodings(kind).map((encoding) => ({
    ...encoding,
    active: true,
    ...(layered && { scalabilityMode: TEMPORAL_LAYERS }),
  }))
}

export const SCREEN_FRAME_RATE = 15

/** One layer: a slide that is not sharp is worth nothing. */
export const SCREEN_ENCODINGS: RTCRtpEncodingParameters[] = [
  { maxBitrate: 2_500_000, maxFramerate: SCREEN_FRAME_RATE },
]

/** A screen that nobody watches is not encoded. */
export function screenEncodings(
  _: PictureSize | null,
  { wanted }: PictureDemand,
): RTCRtpEncodingParameters[] {
  return SCREEN_ENCODINGS.map((one) => ({ ...one, active: wanted === null || wanted.size > 0 }))
}

/** The voice comes before every picture when the browser shares out what it may send. */
export const MICROPHONE_ENCODINGS: RTCRtpEncodingParameters[] = [
  { priority: 'high', networkPriority: 'high' },
]

export function cameraConstraints(kind: VideoClass): MediaTrackConstraints {
  const { side, frameRate } = CAPTURE[kind]
  return {
    width: { ideal: Math.round((side / 9) * 16) },
    height: { ideal: side },
    frameRate: { ideal: frameRate, max: 30 },
  }
}

export const MICROPHONE_CONSTRAINTS: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
}
