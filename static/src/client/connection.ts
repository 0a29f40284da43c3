import { preferRedundantAudio } from './codecs'
import {
  MICROPHONE_ENCODINGS,
  SCREEN_ENCODINGS,
  cameraEncodings,
  offeredEncodings,
  screenEncodings,
  type PictureDemand,
} from './encodings'
import type { IceServer, MediaOffer, SourceKind } from './protocol'
import { SentLayers } from './sent_layers'
import type { VideoClass } from './video_class'

const FIRST_AUDIO_SLOTS = 3
const FIRST_VIDEO_SLOTS = 4

/** For so long a prepared offer is used as it is. */
const OFFER_KEEPS_MS = 20_000

export interface ConnectionOwner {
  /** Send the offer; resolves with the answer's SDP. */
  offer(offer: MediaOffer): Promise<string>
  onState(state: RTCPeerConnectionState): void
}

export interface ConnectionParts {
  /** Tests give their own. */
  create(configuration: RTCConfiguration): RTCPeerConnection
  video: VideoClass
}

/**
 * The one RTCPeerConnection of a visit: three sending sections, then slots that only receive.
 *
 * Who is shown in which slot is never negotiated. Only `restartIce` and `growSlots` offer again.
 */
export class Connection {
  readonly #owner: ConnectionOwner
  readonly #pc: RTCPeerConnection
  readonly #layers: Record<'camera' | 'screen', SentLayers>
  readonly #sending: Record<SourceKind, RTCRtpTransceiver>
  #iceServers = 0
  #local: Promise<void> | null = null
  #preparedAtMs = 0
  #connecting = false
  #queue: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(owner: ConnectionOwner, parts: ConnectionParts) {
    this.#owner = owner
    this.#pc = parts.create({ bundlePolicy: 'max-bundle', iceCandidatePoolSize: 0 })
    this.#sending = {
      microphone: this.#pc.addTransceiver('audio', {
        direction: 'sendonly',
        sendEncodings: MICROPHONE_ENCODINGS,
      }),
      camera: this.#addCamera(parts.video),
      screen: this.#pc.addTransceiver('video', {
        direction: 'sendonly',
        sendEncodings: SCREEN_ENCODINGS,
      }),
    }
    this.#layers = {
      camera: new SentLayers(this.#sending.camera.sender, (size, demand) =>
        cameraEncodings(parts.video, size, demand),
      ),
      screen: new SentLayers(this.#sending.screen.sender, screenEncodings),
    }
    preferRedundantAudio(this.#sending.microphone)
    this.#addSlots(FIRST_AUDIO_SLOTS, FIRST_VIDEO_SLOTS)
    this.#pc.onconnectionstatechange = () => this.#changed()
    // Safari 14 and old kernels tell of a lost path here only.
    this.#pc.oniceconnectionstatechange = () => this.#changed()
  }

  /** The better informed of the two state machines: `disconnected` shows on ICE first. */
  get state(): RTCPeerConnectionState {
    const ice = this.#pc.iceConnectionState
    if (ice === 'disconnected' || ice === 'failed') return ice
    return this.#pc.connectionState ?? (ice === 'completed' ? 'connected' : ice)
  }

  /** Whether the server knows of this connection. */
  get answered(): boolean {
    return this.#pc.remoteDescription !== null
  }

  /**
   * Work out the first offer before it is needed. Call again at the tap: an offer that waited
   * long on the check screen may name a network that is gone.
   */
  prepare(nowMs: number): void {
    if (this.#connecting) return
    if (this.#local && nowMs - this.#preparedAtMs < OFFER_KEEPS_MS) return
    this.#local = this.#describe({ iceRestart: this.#local !== null })
    this.#preparedAtMs = nowMs
    this.#local.catch(() => undefined) // `connect` meets the same failure and tells it
  }

  /** Send the first offer and take the answer. Throws what `owner.offer` throws. */
  async connect(iceServers: IceServer[]): Promise<void> {
    await this.#serially(async () => {
      if (iceServers.length) this.#useIceServers(iceServers)
      this.prepare(Date.now())
      this.#connecting = true
      await this.#local
      // Servers that came after the offer was made count from a fresh gathering on.
      if (iceServers.length) await this.#describe({ iceRestart: true })
      await this.#exchange()
    })
  }

  /** New candidates and credentials on the same connection: the network has changed. */
  async restartIce(iceServers: IceServer[]): Promise<void> {
    await this.#serially(async () => {
      this.#useIceServers(iceServers)
      await this.#describe({ iceRestart: true })
      await this.#exchange()
    })
  }

  /** Have at least so many slots of each kind. */
  async growSlots(audio: number, video: number): Promise<void> {
    await this.#serially(async () => {
      const more = [audio - this.#slotCount('audio'), video - this.#slotCount('video')] as const
      if (more[0] <= 0 && more[1] <= 0) return
      this.#addSlots(...more)
      await this.#describe({})
      await this.#exchange()
    })
  }

  /** Send this track from now on, or nothing. */
  async send(source: SourceKind, track: MediaStreamTrack | null): Promise<void> {
    const { sender } = this.#sending[source]
    if (sender.track === track || this.#closed) return
    // Begun before the exchange, so that the first frames already have the right layers.
    const fitted = source === 'microphone' ? null : this.#layers[source].use(track)
    await sender.replaceTrack(track)
    await fitted
  }

  /** The camera's size may have changed under us: a phone was turned, a camera fell back. */
  async fitCamera(): Promise<void> {
    if (!this.#closed) await this.#layers.camera.fit()
  }

  /** What is to be sent of a picture from now on. */
  async demand(source: 'camera' | 'screen', demand: PictureDemand): Promise<void> {
    if (!this.#closed) await this.#layers[source].ask(demand)
  }

  /** The track that a slot receives. */
  trackOf(mid: string): MediaStreamTrack | null {
    return this.#pc.getTransceivers().find((one) => one.mid === mid)?.receiver.track ?? null
  }

  /** What arrives waits so long before it is shown; null leaves it to the browser. */
  holdBack(targetMs: number | null): void {
    for (const { receiver } of this.#pc.getTransceivers()) {
      // Sound and pictures alike, so that lips stay in step; older browsers lack it.
      if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = targetMs
    }
  }

  getStats(): Promise<RTCStatsReport> {
    return this.#pc.getStats()
  }

  close(): void {
    this.#closed = true
    this.#pc.onconnectionstatechange = null
    this.#pc.oniceconnectionstatechange = null
    this.#pc.close()
  }

  #changed(): void {
    if (!this.#closed) this.#owner.onState(this.state)
  }

  #addCamera(kind: VideoClass): RTCRtpTransceiver {
    const add = (layered: boolean): RTCRtpTransceiver =>
      this.#pc.addTransceiver('video', {
        direction: 'sendonly',
        sendEncodings: offeredEncodings(kind, layered),
      })
    try {
      return add(true)
    } catch {
      // Some know of scalability modes, but not for the codecs they have.
      return add(false)
    }
  }

  #addSlots(audio: number, video: number): void {
    for (let count = 0; count < audio; count++) {
      this.#pc.addTransceiver('audio', { direction: 'recvonly' })
    }
    for (let count = 0; count < video; count++) {
      this.#pc.addTransceiver('video', { direction: 'recvonly' })
    }
  }

  #slotCount(kind: 'audio' | 'video'): number {
    const slots = this.#pc
      .getTransceivers()
      .filter((one) => one.direction === 'recvonly' && one.receiver.track.kind === kind)
    return slots.length
  }

  #useIceServers(iceServers: IceServer[]): void {
    if (!iceServers.length && !this.#iceServers) return
    this.#iceServers = iceServers.length
    this.#pc.setConfiguration({
      bundlePolicy: 'max-bundle',
      iceServers: iceServers.map(({ urls, username, credential }) => ({
        urls,
        ...(username === null ? {} : { username }),
        ...(credential === null ? {} : { credential }),
      })),
    })
  }

  async #describe(options: RTCOfferOptions): Promise<void> {
    await this.#pc.setLocalDescription(await this.#pc.createOffer(options))
  }

  /** The server is ICE-lite: our checks tell it our address, so candidates are not waited for. */
  async #exchange(): Promise<void> {
    const sdp = this.#pc.localDescription?.sdp
    if (!sdp) throw new Error('an exchange begins with a local description')
    const answer = await this.#owner.offer({ sdp, tracks: this.#tracks() })
    if (this.#closed) return
    await this.#pc.setRemoteDescription({ type: 'answer', sdp: answer })
  }

  #tracks(): Record<string, SourceKind> {
    const tracks: Record<string, SourceKind> = {}
    for (const source of ['microphone', 'camera', 'screen'] as const) {
      const { mid } = this.#sending[source]
      if (mid !== null) tracks[mid] = source
    }
    return tracks
  }

  /** One exchange at a time; a failed one does not hold up the next. */
  #serially<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    const run = async (): Promise<Result | undefined> => (this.#closed ? undefined : work())
    const done = this.#queue.then(run, run)
    this.#queue = done.catch(() => undefined)
    return done
  }
}
