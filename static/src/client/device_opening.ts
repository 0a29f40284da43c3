/** One question for devices, and what is tried when it cannot be answered as asked. */
import { deviceProblemCode, isWorthSplitting } from './device_problem'
import type { DeviceKind, DeviceProblem, DeviceProblemCode } from './types'

export type Constraints = Record<DeviceKind, MediaTrackConstraints>

export interface Opened {
  tracks: MediaStreamTrack[]
  problem: DeviceProblem | null
}

/** Both at once, so that the person is asked once; then each alone, so that one can work. */
export async function openDevices(
  media: MediaDevices,
  kinds: DeviceKind[],
  wish: Constraints,
): Promise<Opened> {
  try {
    return { tracks: await getTracks(media, kinds, wish), problem: null }
  } catch (error) {
    const code = deviceProblemCode(error)
    if (kinds.length > 1 && isWorthSplitting(code)) return openEach(media, kinds, wish, code)
    if (code === 'overconstrained') return openAny(media, kinds)
    return { tracks: [], problem: { code, kinds } }
  }
}

async function openEach(
  media: MediaDevices,
  kinds: DeviceKind[],
  wish: Constraints,
  first: DeviceProblemCode,
): Promise<Opened> {
  const tracks: MediaStreamTrack[] = []
  const failed: DeviceKind[] = []
  let code = first
  for (const kind of kinds) {
    const one = await openDevices(media, [kind], wish)
    tracks.push(...one.tracks)
    if (one.problem) {
      failed.push(kind)
      code = one.problem.code
    }
  }
  return { tracks, problem: failed.length ? { code, kinds: failed } : null }
}

/** The chosen device is gone or cannot do it: any device is better than none. */
async function openAny(media: MediaDevices, kinds: DeviceKind[]): Promise<Opened> {
  try {
    const tracks = await getTracks(media, kinds, { microphone: true, camera: true })
    return { tracks, problem: null }
  } catch (error) {
    return { tracks: [], problem: { code: deviceProblemCode(error), kinds } }
  }
}

async function getTracks(
  media: MediaDevices,
  kinds: DeviceKind[],
  wish: Record<DeviceKind, MediaTrackConstraints | true>,
): Promise<MediaStreamTrack[]> {
  const stream = await media.getUserMedia({
    audio: kinds.includes('microphone') && wish.microphone,
    video: kinds.includes('camera') && wish.camera,
  })
  return stream.getTracks()
}
