import { Connection, type ConnectionParts } from './connection'
import type { Devices } from './devices'
import { SAVER_SIDE, UNLIMITED, type PictureDemand } from './encodings'
import { EncoderLoad } from './encoder_load'
import { OFFLINE, ProblemError } from './problem'
import type { IceServer, LayersWanted, MediaOffer, WantedLayer } from './protocol'
import { QualityJudge } from './quality'
import { Recovery, type Mending } from './recovery'
import { RepairTime } from './repair_time'
import { StatsReader, type PathSample } from './stats'
import { mark } from './timeline'
import type { Verdict } from './types'

const TICK_MS = 1_000
/**
 * A path on which nothing arrives for so long is suspect: even in the lobby the server answers
 * checks. Browsers notice after 5 s or more.
 */
const STILL_TICKS = 2
/** Browsers begin at 300 kbit/s and feel their way up: what they believe so early is no limit. */
const RAMP_MS = 5_000
/** A first connection takes less than a second, a few over TCP or a relay: it does not come. */
const UNCONNECTED_MS = 8_000
/** Refusals after which this very connection is of no more use to the server. */
const FORGOTTEN = new Set(['media_missing', 'sdp_changed', 'sdp_invalid'])

const NOT_SAID: LayersWanted = { camera: null, screen: null }

const limitsOf = (layers: WantedLayer[] | null): PictureDemand['wanted'] =>
  layers && new Map(layers.map(({ rid, max_bps }) => [rid, max_bps]))

/** What we were asked to send of our pictures altogether; no limit while one of them has none. */
function askedBps({ camera, screen }: LayersWanted): number {
  const layers = [...(camera ?? [{ max_bps: null }]), ...(screen ?? [])]
  return layers.reduce((sum, { max_bps }) => sum + (max_bps ?? Infinity), 0)
}

export interface MediaPathOwner {
  /** Send an offer; resolves with the answer's SDP. Throws `ProblemError`. */
  offer(offer: MediaOffer): Promise<string>
  /** Whether an offer could be sent now. */
  readonly reachable: boolean
  /** A connection of its own: the server knows nothing yet of how we draw on it. */
  onConnection(): void
  /** Tracks appeared or went: draw anew. */
  onTracks(): void
  /** Once a second: what was measured, null while nothing can be, and what that means. */
  onSample(sample: PathSample | null, verdict: Verdict): void
  /** Nothing arrives any more: see whether the server can be reached at all. */
  onStill(): void
  /** Media flows (again): the server can be reached. */
  onPathBack(): void
}

/** Our media to and from the server, kept up for as long as the visit lasts. */
export class MediaPath {
  readonly #owner: MediaPathOwner
  readonly #devices: Devices
  readonly #parts: ConnectionParts
  #judge = new QualityJudge()
  #connection: Connection | null = null
  #recovery = new Recovery()
  #stats = new StatsReader()
  readonly #load = new EncoderLoad()
  #repairTime = new RepairTime()
  #wanted = NOT_SAID
  #saving = false
  #iceServers: IceServer[] = []
  #screen: MediaStreamTrack | null = null
  #timer: ReturnType<typeof setInterval> | null = null
  #stillTicks = 0
  #offered = false
  #wasConnected = false
  #connectedAtMs = 0
  #beganAtMs = 0

  constructor(owner: MediaPathOwner, devices: Devices, parts: ConnectionParts) {
    this.#owner = owner
    this.#devices = devices
    this.#parts = parts
    devices.subscribe(() => void this.#sendTracks())
  }

  /** Make the first offer ready before anyone asks for it. */
  prepare(): void {
    this.#connection ??= this.#create()
    this.#connection.prepare(Date.now())
  }

  /** The server greets us, for the first time or again. */
  welcome(kept: boolean, iceServers: IceServer[]): void {
    this.#iceServers = iceServers
    this.#timer ??= setInterval(() => void this.#onTick(), TICK_MS)
    if (!this.#offered || !this.#connection) {
      this.#beganAtMs = Date.now()
      void this.#connect()
      return
    }
    this.#mend(this.#recovery.onWelcome(kept, this.#connection.state, Date.now()))
  }

  moreSlots(audio: number, video: number): void {
    const grown = this.#connection?.growSlots(audio, video)
    grown?.then(
      () => this.#owner.onTracks(),
      (error: unknown) => this.#onOfferFailed(error),
    )
  }

  /** The server has heard nothing from us for so long. */
  silent(silentMs: number): void {
    this.#mend(this.#recovery.onSilence(silentMs, Date.now()))
  }

  networkChanged(): void {
    if (this.#offered) this.#mend(this.#recovery.onNetworkChange(Date.now()))
  }

  /** The layers of our pictures that somebody watches, and how much of each is of use. */
  wantLayers(wanted: LayersWanted): void {
    // Until the server has answered this connection's offer, it speaks of the one before.
    if (!this.#connection?.answered) return
    this.#wanted = wanted
    this.#demandPictures()
  }

  /** Send a small picture only. */
  saveData(on: boolean): void {
    this.#saving = on
    this.#demandPictures()
  }

  trackOf(mid: string): MediaStreamTrack | null {
    return this.#connection?.trackOf(mid) ?? null
  }

  async setScreen(track: MediaStreamTrack | null): Promise<void> {
    this.#screen = track
    await this.#connection?.send('screen', track)
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#connection?.close()
    this.#connection = null
    this.#screen = null
    this.#offered = false
    this.#wasConnected = false
    this.#recovery = new Recovery()
    this.#judge = new QualityJudge()
  }

  #create(): Connection {
    const connection: Connection = new Connection(
      {
        offer: (offer) => this.#owner.offer(offer),
        onState: (state) => this.#onState(connection, state),
      },
      this.#parts,
    )
    this.#stats = new StatsReader()
    this.#repairTime = new RepairTime()
    this.#connectedAtMs = 0
    this.#offered = false
    // The server has yet to say who watches what on this connection.
    this.#wanted = NOT_SAID
    this.#demandPictures(connection)
    return connection
  }

  async #connect(): Promise<void> {
    this.prepare()
    const connection = this.#connection
    if (!connection) return
    this.#offered = true
    this.#recovery.begun(Date.now())
    void this.#sendTracks()
    try {
      await connection.connect(this.#iceServers)
      if (connection !== this.#connection) return
      mark('join.answer')
      this.#owner.onConnection()
      this.#owner.onTracks()
    } catch (error) {
      if (connection === this.#connection) this.#onOfferFailed(error)
    }
  }

  #rebuild(): void {
    mark('media.rebuild')
    this.#connection?.close()
    this.#connection = null
    void this.#connect()
  }

  #mend(how: Mending): void {
    if (how === 'none') return
    // Without the socket there is nobody to offer to; the next welcome asks again.
    if (!this.#owner.reachable) return
    if (how === 'rebuild') return this.#rebuild()
    mark('ice.restart')
    this.#connection?.restartIce(this.#iceServers).catch((error) => this.#onOfferFailed(error))
  }

  #onOfferFailed(error: unknown): void {
    if (!(error instanceof ProblemError) || error.code === OFFLINE) return
    if (FORGOTTEN.has(error.code) && this.#owner.reachable) {
      // Not at once: a server that refuses our very first offer would be asked without end.
      this.#connection?.close()
    }
  }

  #onState(connection: Connection, state: RTCPeerConnectionState): void {
    if (connection !== this.#connection || !this.#offered) return
    if (state === 'connected') this.#connectedAtMs ||= Date.now()
    if (state === 'connected' && !this.#wasConnected) {
      this.#wasConnected = true
      mark('join.connected')
    }
    if (state === 'disconnected') this.#owner.onStill()
    if (state === 'connected') this.#owner.onPathBack()
    this.#mend(this.#recovery.onState(state, Date.now()))
    this.#owner.onTracks()
  }

  async #onTick(): Promise<void> {
    const connection = this.#connection
    if (!connection || !this.#offered) return
    const { state } = connection
    if (state !== 'connected') this.#mend(this.#recovery.onState(state, Date.now()))
    if (state === 'connected' && this.#owner.reachable) {
      void connection.fitCamera()
      const sample = this.#stats.read(await connection.getStats())
      if (connection === this.#connection) this.#onSample(sample)
    } else if (this.#wasConnected) {
      this.#owner.onSample(null, this.#judge.lost())
    } else if (Date.now() - this.#beganAtMs >= UNCONNECTED_MS) {
      this.#owner.onSample(null, this.#judge.unconnected())
    }
  }

  #onSample(measured: PathSample): void {
    // Browsers expect little of a path on which we send little because we were asked to.
    const { sendableBps } = measured
    const restrained = sendableBps !== null && sendableBps >= askedBps(this.#wanted)
    const early = Date.now() - this.#connectedAtMs < RAMP_MS
    const sample = restrained || early ? { ...measured, sendableBps: null } : measured
    this.#stillTicks = sample.arrivedBytes > 0 ? 0 : this.#stillTicks + 1
    if (this.#stillTicks === STILL_TICKS) this.#owner.onStill()
    if (this.#load.take(sample.limitedBy === 'cpu')) this.#demandPictures()
    const changed = this.#repairTime.take(sample)
    const { targetMs } = this.#repairTime
    // Slots that came meanwhile hold back as the others do.
    if (changed || targetMs !== null) this.#connection?.holdBack(targetMs)
    this.#owner.onSample(sample, this.#judge.take(sample))
  }

  #demandPictures(connection = this.#connection): void {
    const { camera, screen } = this.#wanted
    void connection?.demand('camera', {
      wanted: limitsOf(camera),
      maxSide: this.#saving ? SAVER_SIDE : UNLIMITED.maxSide,
      maxLayers: this.#load.layers,
    })
    void connection?.demand('screen', { ...UNLIMITED, wanted: limitsOf(screen) })
  }

  async #sendTracks(): Promise<void> {
    const connection = this.#connection
    if (!connection || !this.#offered) return
    try {
      await Promise.all([
        connection.send('microphone', this.#devices.track('microphone')),
        connection.send('camera', this.#devices.track('camera')),
        connection.send('screen', this.#screen),
      ])
    } catch {
      // The connection was closed in between; its successor sends the same tracks.
    }
  }
}
