/** What our camera and screen are sent as. */
import type { VideoClass } from './video_class'

export type Rid = 'q' | 'h' | 'f'

/** Lowest first, as browsers want them in `sendEncodings` (RFC 8853). */
export const RIDS: readonly Rid[] = ['q', 'h', 'f']

export interface PictureSize {
  width: number
  height: number
}

/** The most bits a second of a layer that are of use to who watches it; null: no limit. */
export type Limit = number | null

/** What is asked of our camera or screen just now, besides what it can do. */
export interface PictureDemand {
  /** Rids that somebody watches, "" for a source without any; null while the server has not said. */
  wanted: ReadonlyMap<string, Limit> | null
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
  { side: 1000, bps: 2_500_000 },
  { side: 700, bps: 1_500_000 },
  { side: 540, bps: 1_000_000 },
  { side: 480, bps: 800_000 },
  { side: 360, bps: 400_000 },
  { side: 240, bps: 250_000 },
  { side: 0, bps: 150_000 },
]

/** With less no encoder makes a picture: the server holds it back until there is room for this. */
const MIN_LIMIT_BPS = 30_000

/** With so much the lowest layer is a picture worth its size. */
const WHOLE_PICTURE_BPS = 100_000

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
  const limits = chosen(rids, side, demand)
  return RIDS.map((rid) => {
    const scale = scaleOf(rid, rids, side)
    return {
      rid,
      active: limits.has(rid),
      scaleResolutionDownBy: scale,
      maxBitrate: limited(bitrateOf(side / scale, kind), limits.get(rid)),
    }
  })
}

/**
 * The layers to send, each with its limit. One that this camera does not have is not missed: the
 * highest below stands for it, and serves all who watch the one or the other.
 */
function chosen(rids: readonly Rid[], side: number, demand: PictureDemand): Map<Rid, Limit> {
  const able = rids
    .slice(0, demand.maxLayers)
    .filter((rid, place) => place === 0 || side / scaleOf(rid, rids, side) <= demand.maxSide)
  if (!demand.wanted) return new Map(able.map((rid) => [rid, null]))
  const served = new Map<Rid, Limit[]>()
  for (const [place, rid] of RIDS.entries()) {
    const limit = demand.wanted.get(rid)
    if (limit === undefined) continue
    const sent = able[Math.min(place, able.length - 1)] ?? 'q'
    served.set(sent, [...(served.get(sent) ?? []), limit])
  }
  return new Map([...served].map(([rid, limits]) => [rid, loosest(limits)]))
}

/** What serves all of them: who has no limit is not to suffer from who has. */
function loosest(limits: Iterable<Limit>): Limit {
  let most = 0
  for (const limit of limits) {
    if (limit === null) return null
    most = Math.max(most, limit)
  }
  return most
}

function limited(ownBps: number, limit: Limit = null): number {
  if (limit === null) return ownBps
  // Whole, because browsers cut off the rest and would then differ from what we ask for.
  return Math.min(ownBps, Math.max(MIN_LIMIT_BPS, Math.floor(limit)))
}

/**
 * What the browser is to keep of a camera when bits are short; null: as it sees fit.
 *
 * It makes a lone layer smaller, at once, and larger again only over half a minute. The lowest is
 * small already: it keeps its size where whoever watches has room for it.
 */
export function degradationOf(
  encodings: readonly RTCRtpEncodingParameters[],
): RTCDegradationPreference | null {
  const [first, second] = encodings.filter(({ active }) => active)
  const lowestAlone = first?.rid === 'q' && !second
  return lowestAlone && (first.maxBitrate ?? 0) >= WHOLE_PICTURE_BPS ? 'maintain-resolution' : null
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

const SCREEN_BPS = 2_500_000

/** One layer: a slide that is not sharp is worth nothing. */
export const SCREEN_ENCODINGS: RTCRtpEncodingParameters[] = [
  { maxBitrate: SCREEN_BPS, maxFramerate: SCREEN_FRAME_RATE },
]

/** A screen that nobody watches is not encoded. */
export function screenEncodings(
  _: PictureSize | null,
  { wanted }: PictureDemand,
): RTCRtpEncodingParameters[] {
  const active = wanted === null || wanted.size > 0
  const limit = wanted?.size ? loosest(wanted.values()) : null
  return SCREEN_ENCODINGS.map((one) => ({ ...one, active, maxBitrate: limited(SCREEN_BPS, limit) }))
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
