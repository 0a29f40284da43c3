/** Streams, tracks and `mediaDevices` that behave as the specification says, without hardware. */

let serial = 0

export class FakeTrack extends EventTarget {
  readonly id = `track-${++serial}`
  enabled = true
  readyState: 'live' | 'ended' = 'live'
  contentHint = ''
  onended: (() => void) | null = null
  onmute: (() => void) | null = null

  constructor(
    readonly kind: 'audio' | 'video',
    readonly settings: MediaTrackSettings = {},
    readonly label = '',
  ) {
    super()
  }

  getSettings(): MediaTrackSettings {
    return this.settings
  }

  stop(): void {
    this.readyState = 'ended'
  }

  /** The system takes the device away. */
  end(): void {
    this.readyState = 'ended'
    this.onended?.()
  }
}

export class FakeStream {
  readonly id = `stream-${++serial}`
  #tracks: FakeTrack[]

  constructor(tracks: FakeTrack[] = []) {
    this.#tracks = [...tracks]
  }

  getTracks(): FakeTrack[] {
    return [...this.#tracks]
  }

  getVideoTracks(): FakeTrack[] {
    return this.#tracks.filter(({ kind }) => kind === 'video')
  }

  addTrack(track: FakeTrack): void {
    if (!this.#tracks.includes(track)) this.#tracks.push(track)
  }

  removeTrack(track: FakeTrack): void {
    this.#tracks = this.#tracks.filter((one) => one !== track)
  }
}

export interface FakeDevice {
  kind: 'audioinput' | 'videoinput'
  deviceId: string
  label: string
  facing?: 'user' | 'environment'
  /** What opening it throws. */
  fails?: { name: string; message?: string }
}

/** The devices of one machine; `asked` keeps the constraints of every question. */
export class FakeMediaDevices extends EventTarget {
  asked: MediaStreamConstraints[] = []
  opened: FakeTrack[] = []

  constructor(public devices: FakeDevice[]) {
    super()
  }

  async enumerateDevices(): Promise<FakeDevice[]> {
    return this.devices
  }

  async getUserMedia(constraints: MediaStreamConstraints): Promise<FakeStream> {
    this.asked.push(constraints)
    const tracks = [
      ...(constraints.audio ? [this.#open('audioinput', constraints.audio)] : []),
      ...(constraints.video ? [this.#open('videoinput', constraints.video)] : []),
    ]
    this.opened.push(...tracks)
    return new FakeStream(tracks)
  }

  #open(kind: FakeDevice['kind'], wish: boolean | MediaTrackConstraints): FakeTrack {
    const exact = typeof wish === 'object' ? exactId(wish) : null
    const facing = typeof wish === 'object' ? wish.facingMode : undefined
    const able = this.devices.filter((device) => device.kind === kind)
    if (!able.length) throw failure('NotFoundError')
    const device = exact
      ? able.find(({ deviceId }) => deviceId === exact)
      : (able.find((one) => one.facing === facing) ?? able[0])
    if (!device) throw failure('OverconstrainedError')
    if (device.fails) throw failure(device.fails.name, device.fails.message)
    const settings = {
      deviceId: device.deviceId,
      ...(device.facing && { facingMode: device.facing }),
    }
    return new FakeTrack(kind === 'audioinput' ? 'audio' : 'video', settings, device.label)
  }
}

export function failure(name: string, message = ''): Error {
  return Object.assign(new Error(message), { name })
}

function exactId(wish: MediaTrackConstraints): string | null {
  const id = wish.deviceId as { exact?: string } | undefined
  return id?.exact ?? null
}

export const TWO_DEVICES: FakeDevice[] = [
  { kind: 'audioinput', deviceId: 'mic-1', label: 'Microphone' },
  { kind: 'videoinput', deviceId: 'cam-1', label: 'Front', facing: 'user' },
]
