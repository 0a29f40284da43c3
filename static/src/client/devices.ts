import { openDevices, type Constraints, type Opened } from './device_opening'
import { BOTH, obstacle } from './device_problem'
import { MICROPHONE_CONSTRAINTS, cameraConstraints } from './encodings'
import { LevelMeter } from './level'
import { Observable } from './observable'
import type {
  CameraState,
  DeviceChoice,
  DeviceKind,
  DevicesActions,
  DevicesState,
  MicrophoneState,
} from './types'
import type { VideoClass } from './video_class'

export interface DevicesParts {
  video: VideoClass
  phone: boolean
  /** iOS: tracks of before an interruption claim to be live and are not. */
  renewsAfterInterruption: boolean
  /** Null where the browser has none; tests give their own. */
  media: MediaDevices | undefined
}

const NO_MICROPHONE: MicrophoneState = { id: null, label: '', on: true, level: 0 }
const NO_CAMERA: CameraState = { id: null, label: '', on: true, facing: null, canFlip: false }

/** Our own microphone and camera: opened together, mended and exchanged one at a time. */
export class Devices extends Observable<DevicesState> implements DevicesActions {
  readonly #parts: DevicesParts
  readonly #meter = new LevelMeter((level) => this.#patchMicrophone({ level }))
  #tracks: Record<DeviceKind, MediaStreamTrack | null> = { microphone: null, camera: null }
  #opening: Promise<boolean> | null = null
  #interrupted = false

  constructor(parts: DevicesParts) {
    super({
      microphone: NO_MICROPHONE,
      camera: NO_CAMERA,
      stream: null,
      asking: false,
      problem: null,
      list: [],
    })
    this.#parts = parts
    parts.media?.addEventListener?.('devicechange', () => void this.#onDeviceChange())
    document.addEventListener('visibilitychange', () => this.#onVisibility())
  }

  /** What is to be sent: the track, null while off or missing. */
  track(kind: DeviceKind): MediaStreamTrack | null {
    return this.#tracks[kind]
  }

  /** A second call while the first one waits for the person joins it. */
  open(): Promise<boolean> {
    if (this.state.stream && !this.state.problem) return Promise.resolve(true)
    this.#opening ??= this.#open(BOTH.filter((kind) => this.#wants(kind))).finally(
      () => (this.#opening = null),
    )
    return this.#opening
  }

  /** Open without a question if the person said yes before; else do nothing. */
  async prepare(): Promise<boolean> {
    if (!(await this.#isGranted())) return false
    return this.open()
  }

  retry(): Promise<boolean> {
    this.#opening ??= this.#open(this.state.problem?.kinds ?? BOTH).finally(
      () => (this.#opening = null),
    )
    return this.#opening
  }

  async setMicrophone(on: boolean): Promise<boolean> {
    this.#patchMicrophone({ on })
    const track = this.#tracks.microphone
    if (track) track.enabled = on
    return track !== null || !on || this.#open(['microphone'])
  }

  /** Off means off: the camera's light goes out. On opens it again. */
  async setCamera(on: boolean): Promise<boolean> {
    this.#patchCamera({ on })
    if (!on) {
      this.#replace('camera', null)
      return true
    }
    return this.#tracks.camera !== null || this.#open(['camera'])
  }

  flip(): Promise<boolean> {
    const facing = this.state.camera.facing === 'environment' ? 'user' : 'environment'
    // A phone holds one camera at a time: the old one is let go before the new one is asked for.
    this.#replace('camera', null)
    this.#patchCamera({ facing, id: null, on: true })
    return this.#open(['camera'])
  }

  choose(kind: DeviceKind, id: string): Promise<boolean> {
    if (kind === 'microphone') this.#patchMicrophone({ id, on: true })
    else this.#patchCamera({ id, facing: null, on: true })
    return this.#open([kind])
  }

  close(): void {
    this.#meter.close()
    for (const kind of BOTH) this.#replace(kind, null)
    this.update({ stream: null, problem: null })
  }

  async #open(kinds: DeviceKind[]): Promise<boolean> {
    const media = this.#parts.media as MediaDevices
    const cannot = obstacle(this.#parts.media)
    if (cannot) return this.#settle({ tracks: [], problem: { code: cannot, kinds } }, kinds)
    this.update({ asking: true })
    try {
      return this.#settle(await openDevices(media, kinds, this.#constraints()), kinds)
    } finally {
      this.update({ asking: false })
      void this.#refreshList()
    }
  }

  #constraints(): Constraints {
    const { id } = this.state.microphone
    const microphone = {
      ...MICROPHONE_CONSTRAINTS,
      ...(id === null ? {} : { deviceId: { exact: id } }),
    }
    return { microphone, camera: this.#cameraConstraints() }
  }

  #cameraConstraints(): MediaTrackConstraints {
    const { id, facing } = this.state.camera
    const size = cameraConstraints(this.#parts.video)
    if (id !== null) return { ...size, deviceId: { exact: id } }
    return this.#parts.phone ? { ...size, facingMode: facing ?? 'user' } : size
  }

  #settle({ tracks, problem }: Opened, kinds: DeviceKind[]): boolean {
    for (const track of tracks) this.#take(track)
    const others = this.state.problem?.kinds.filter((kind) => !kinds.includes(kind)) ?? []
    const left =
      others.length && this.state.problem ? { ...this.state.problem, kinds: others } : null
    this.update({ problem: problem ?? left })
    return problem === null
  }

  #take(track: MediaStreamTrack): void {
    const kind = track.kind === 'audio' ? 'microphone' : 'camera'
    const { deviceId, facingMode } = track.getSettings()
    const id = deviceId ?? null
    if (kind === 'microphone') {
      track.enabled = this.state.microphone.on
      this.#patchMicrophone({ id, label: track.label })
      this.#meter.watch(track)
    } else if (this.state.camera.on) {
      const facing = facingMode === 'environment' || facingMode === 'user' ? facingMode : null
      this.#patchCamera({ id, label: track.label, facing: facing ?? this.state.camera.facing })
      if ('contentHint' in track) track.contentHint = 'motion'
    } else {
      track.stop()
      return
    }
    this.#replace(kind, track)
  }

  /** Put a track in the place of another; the stream stays the same object. */
  #replace(kind: DeviceKind, track: MediaStreamTrack | null): void {
    const old = this.#tracks[kind]
    if (old === track) return
    this.#tracks = { ...this.#tracks, [kind]: track }
    const stream = this.state.stream ?? new MediaStream()
    if (old) {
      old.onended = old.onmute = null
      old.stop()
      stream.removeTrack(old)
    }
    if (track) {
      track.onended = () => void this.#onEnded(kind)
      track.onmute = () => (this.#interrupted = true)
      stream.addTrack(track)
    }
    this.update({ stream })
  }

  /** Unplugged, or taken by the system: try whatever else is there, once. */
  async #onEnded(kind: DeviceKind): Promise<void> {
    this.#replace(kind, null)
    if (document.visibilityState === 'hidden') {
      this.#interrupted = true
      return
    }
    this.#forgetChoice(kind)
    if (!(await this.#open([kind]))) this.update({ problem: { code: 'ended', kinds: [kind] } })
  }

  #forgetChoice(kind: DeviceKind): void {
    if (kind === 'microphone') this.#patchMicrophone({ id: null })
    else this.#patchCamera({ id: null })
  }

  #onVisibility(): void {
    if (document.visibilityState !== 'visible' || !this.state.stream) return
    this.#meter.resume()
    const dead = BOTH.filter((kind) => this.#wants(kind) && !isLive(this.#tracks[kind]))
    const renewed = this.#interrupted && this.#parts.renewsAfterInterruption
    const kinds = renewed ? BOTH.filter((kind) => this.#wants(kind)) : dead
    this.#interrupted = false
    if (kinds.length && !this.state.problem) void this.#open(kinds)
  }

  #wants(kind: DeviceKind): boolean {
    return kind === 'microphone' || this.state.camera.on
  }

  async #onDeviceChange(): Promise<void> {
    await this.#refreshList()
    const missing = this.state.problem?.code === 'missing' || this.state.problem?.code === 'ended'
    if (missing && this.state.stream) void this.retry()
  }

  async #refreshList(): Promise<void> {
    const found = await this.#parts.media?.enumerateDevices?.().catch(() => [])
    const list = (found ?? []).map(toChoice).filter((choice) => choice !== null)
    const cameras = list.filter(({ kind }) => kind === 'camera').length
    this.update({ list })
    this.#patchCamera({ canFlip: this.#parts.phone && cameras > 1 })
  }

  async #isGranted(): Promise<boolean> {
    try {
      const names = ['camera', 'microphone'] as PermissionName[]
      const answers = await Promise.all(names.map((name) => navigator.permissions.query({ name })))
      return answers.every(({ state }) => state === 'granted')
    } catch {
      return false // a browser that cannot tell has to be asked, by a tap
    }
  }

  #patchMicrophone(patch: Partial<MicrophoneState>): void {
    this.update({ microphone: { ...this.state.microphone, ...patch } })
  }

  #patchCamera(patch: Partial<CameraState>): void {
    this.update({ camera: { ...this.state.camera, ...patch } })
  }
}

function isLive(track: MediaStreamTrack | null): boolean {
  return track?.readyState === 'live'
}

function toChoice(device: MediaDeviceInfo): DeviceChoice | null {
  if (!device.deviceId) return null // the browser names none before permission is given
  const { deviceId: id, label } = device
  if (device.kind === 'audioinput') return { kind: 'microphone', id, label }
  return device.kind === 'videoinput' ? { kind: 'camera', id, label } : null
}
