import { CallHealth } from './call_health'
import type { ConnectionParts } from './connection'
import { Conversation } from './conversation'
import { rememberSaving, savesData } from './data_saver'
import type { Devices } from './devices'
import { DrawnSizes, type DrawnSource } from './drawn_sizes'
import { SAVER_SIDE, type PictureSize } from './encodings'
import { HandOver } from './hand_over'
import { Lifeline } from './lifeline'
import type { LinkClient } from './link'
import { MediaPath, type MediaPathOwner } from './media_path'
import { rememberVisit, rememberedVisit } from './memory'
import { Observable } from './observable'
import { ProblemError, toProblem } from './problem'
import type { EventBody, MediaOffer, Notices, RoomView, SlotView } from './protocol'
import { Reports } from './reports'
import { Requests } from './requests'
import { applyEvent, showsSomebody } from './room'
import { ScreenShare } from './screen_share'
import { Signaling, type SignalingOwner } from './signaling'
import type { OpenSocket } from './socket'
import type { PathSample } from './stats'
import { Tiles } from './tiles'
import { mark, markFirst } from './timeline'
import type { InterviewState, Phase, Verdict } from './types'
import { BEFORE, CLOSED, GOODBYE_PHASE, JOINABLE, drawRoom } from './visit_state'

export interface VisitParts {
  link: LinkClient
  devices: Devices
  openSocket: OpenSocket
  connection: ConnectionParts
}

const LEAVE_MS = 1_500

type Handlers = { [Name in keyof Notices]: (body: Notices[Name]) => void }

/** One visit to an interview: how it begins and ends, what the server says, how it survives. */
export class Visit extends Observable<InterviewState> implements SignalingOwner, MediaPathOwner {
  readonly requests: Requests
  readonly conversation: Conversation
  readonly handOver: HandOver
  readonly screen: ScreenShare
  readonly #link: LinkClient
  readonly #devices: Devices
  readonly #signaling: Signaling
  readonly #media: MediaPath
  readonly #reports: Reports
  readonly #lifeline: Lifeline
  readonly #tiles = new Tiles()
  readonly #drawn: DrawnSizes
  readonly #health: CallHealth
  readonly #handlers = this.#noticeHandlers()
  #settleJoin: ((joined: boolean) => void) | null = null
  /** How many visits have ended. */
  #visits = 0
  #serverAheadMs = 0
  /** Whether the server knows that we save data. */
  #limited = false

  constructor({ link, devices, openSocket, connection }: VisitParts) {
    super({ ...BEFORE, saving: savesData() })
    this.#link = link
    this.#devices = devices
    this.#signaling = new Signaling(openSocket, this)
    this.#media = new MediaPath(this, devices, connection)
    this.requests = new Requests(this.#signaling, (error) => this.#tell(error))
    this.conversation = new Conversation(this.requests, () => this.#draw())
    this.handOver = new HandOver(this.requests, (canTakeBack) => this.update({ canTakeBack }))
    this.screen = new ScreenShare(this.requests, {
      send: (track) => this.#media.setScreen(track),
      onChange: () => this.#draw(),
    })
    this.#reports = new Reports(this.requests, devices)
    this.#drawn = new DrawnSizes((sizes) => this.requests.send('slots.sizes', { sizes }))
    this.#health = new CallHealth(this.#drawn)
    this.#media.saveData(this.state.saving)
    this.#lifeline = new Lifeline(this.#signaling, this.#media, this.#reports)
    devices.subscribe(() => this.#reportMedia())
    link.subscribe(() => this.#onLink())
  }

  // What a person does.

  join(): Promise<boolean> {
    if (!JOINABLE.includes(this.state.phase)) return Promise.resolve(false)
    mark('join.tap')
    this.update({ ...BEFORE, saving: this.state.saving, phase: 'joining' })
    this.#reports.begin()
    // First of all, while the tap still counts as a gesture.
    void this.#devices.open()
    this.#media.prepare()
    this.#lifeline.hold()
    return new Promise((resolve) => {
      this.#settleJoin = resolve
      this.#signaling.open()
    })
  }

  async leave(): Promise<boolean> {
    const visit = this.#visits
    const told = this.requests.send('room.leave', {}, LEAVE_MS).catch(() => undefined)
    this.#stopMedia()
    await told
    // The server's goodbye may have come first, and the person may be in again by now.
    if (visit === this.#visits) this.#finish('left')
    return true
  }

  saveData(on: boolean): void {
    rememberSaving(on)
    this.update({ saving: on })
    this.#media.saveData(on)
    this.#limitVideo()
  }

  drawn(participant: string, source: DrawnSource, size: PictureSize): void {
    this.#drawn.set(participant, source, size)
  }

  dismissError(): void {
    this.update({ error: null })
  }

  // What signalling and media ask of their owner.

  get reachable(): boolean {
    return this.#signaling.up
  }

  async joinToken(): Promise<string> {
    const token = await this.#link.redeem()
    mark('join.redeemed')
    return token
  }

  onNotice<Name extends keyof Notices>(name: Name, body: Notices[Name]): void {
    this.#handlers[name](body)
  }

  onDown(): void {
    mark('signaling.lost')
    if (this.state.phase === 'lobby' || this.state.phase === 'room') {
      this.update({ phase: 'reconnecting', reconnectingSinceMs: Date.now() })
    }
  }

  onRefused(problem: ProblemError): void {
    if (CLOSED.has(problem.code)) return this.#finish('ended')
    // A link that does not open any more has a screen of its own, drawn from the link's state.
    const linkSays = problem.code.startsWith('link_')
    this.#finish(linkSays ? 'check' : 'failed')
    if (!linkSays) this.#tell(problem)
  }

  async offer(offer: MediaOffer): Promise<string> {
    return (await this.requests.send('media.offer', offer)).sdp
  }

  onConnection(): void {
    this.#drawn.forget()
  }

  onTracks(): void {
    this.#draw()
  }

  onStill(): void {
    void this.#lifeline.check()
  }

  onPathBack(): void {
    this.#signaling.retryNow()
  }

  onSample(sample: PathSample | null, verdict: Verdict): void {
    const { room, me, saving } = this.state
    const id = me?.participant ?? ''
    const means = { saving, cameraOn: this.#devices.track('camera') !== null }
    if (sample) this.#reports.measured(this.#health.look(sample, room, this.#tiles.slots))
    this.#reports.quality(verdict.level, this.reachable)
    this.update({
      quality: this.#health.judge(verdict, id, means),
      figures: this.#reports.figures(this.#health.receivableBps(id)),
    })
    this.#draw()
  }

  // What the server says.

  #noticeHandlers(): Handlers {
    return {
      welcome: (body) => this.#onWelcome(body),
      place: (body) => this.#onPlace(body),
      event: (body) => this.#onEvent(body),
      slots: ({ slots }) => this.#onSlots(slots),
      'quality.changed': (body) => this.#redraw(() => this.#health.hear(body)),
      'layers.wanted': (wanted) => this.#media.wantLayers(wanted),
      speaking: ({ participant, speaking }) =>
        this.#redraw(() => this.#tiles.setSpeaking(participant, speaking)),
      'media.more_slots': ({ audio, video }) => this.#media.moreSlots(audio, video),
      'media.lost': ({ silent_ms }) => this.#media.silent(silent_ms),
      resume: () => undefined, // signalling keeps it
      goodbye: ({ reason }) => this.#onGoodbye(reason),
    }
  }

  #onWelcome(welcome: Notices['welcome']): void {
    if (!welcome.resumed && showsSomebody(welcome)) markFirst('picture.due')
    mark(welcome.resumed ? 'signaling.back' : 'join.welcome')
    this.#serverAheadMs = welcome.server_time_ms - Date.now()
    const room = welcome.room ?? this.state.room
    if (!welcome.resumed && room) this.conversation.arrive(room.chat)
    this.#enter(room, { me: welcome.you, hrContact: welcome.hr_contact })
    this.#media.welcome(welcome.media_kept, welcome.ice_servers)
    this.#reports.forget()
    this.#health.forget()
    this.#drawn.forget()
    this.#limited = false
    this.#limitVideo()
    this.#reportMedia()
    this.conversation.sendUnsent()
    this.#settle(true)
  }

  #onSlots(slots: SlotView[]): void {
    if (slots.some((one) => one.participant && one.source === 'camera')) markFirst('picture.due')
    this.#drawn.setSlots(slots)
    this.#redraw(() => this.#tiles.setSlots(slots))
  }

  #onPlace({ reason, room }: Notices['place']): void {
    mark('place', { reason })
    this.conversation.arrive(room.chat)
    this.#enter(room, { arrival: reason })
  }

  #enter(room: RoomView | null, patch: Partial<InterviewState>): void {
    const phase = room?.placement ?? 'lobby'
    this.update({ ...patch, room, phase, reconnectingSinceMs: null })
    this.#yieldScreen()
    this.#draw()
  }

  #onEvent(event: Notices['event']): void {
    const { room } = this.state
    if (!room || event.room !== room.id || event.seq <= room.seq) return
    const after = applyEvent(room, event)
    this.update({ room: after })
    this.#onEventBody(after, event.body, event.at_ms)
    this.#draw()
  }

  #onEventBody(room: RoomView, body: EventBody, atMs: number): void {
    const me = this.state.me?.participant ?? ''
    if (body.type === 'participant.muted' && body.participant === me) {
      void this.#devices.setMicrophone(false)
    } else if (body.type === 'screen.changed') {
      this.#yieldScreen()
    } else if (body.type === 'reaction') {
      const ageMs = Date.now() + this.#serverAheadMs - atMs
      this.conversation.showReaction(room, body.participant, me, body.name, ageMs)
    }
  }

  #onGoodbye(reason: Notices['goodbye']['reason']): void {
    const phase = GOODBYE_PHASE[reason]
    if (!phase) return
    this.#finish(phase)
    if (phase === 'failed') this.#tell(new ProblemError('token_revoked', 'access was withdrawn'))
  }

  // Comings and goings.

  #onLink(): void {
    const { state } = this.#link.state
    const { secret } = this.#link
    if (state !== 'open' || secret === null || this.state.phase !== 'check') return
    const before = rememberedVisit(secret)
    if (!before) {
      // The person still looks at the check screen: time to work out the first offer.
      this.#media.prepare()
      return
    }
    void this.#devices.setMicrophone(before.microphone)
    void this.#devices.setCamera(before.camera)
    void this.join()
  }

  /** Tell the server, and a reload of this page, what we send. */
  #reportMedia(): void {
    const { secret: link } = this.#link
    if (!this.reachable || !this.state.me || !this.#reports.media() || link === null) return
    const { microphone, camera } = this.#devices.state
    rememberVisit({ link, microphone: microphone.on, camera: camera.on })
  }

  /** Ask for small pictures, or take that back; not a word about it before it was ever wished. */
  #limitVideo(): void {
    const { saving } = this.state
    if (!this.reachable || saving === this.#limited) return
    this.#limited = saving
    const limit = { max_height: saving ? SAVER_SIDE : null }
    this.requests.send('video.limit', limit).catch(() => (this.#limited = !saving))
  }

  #finish(phase: Phase): void {
    this.#visits += 1
    rememberVisit(null)
    this.#signaling.close()
    this.#stopMedia()
    this.#lifeline.letGo()
    this.#tiles.clear()
    this.#drawn.clear()
    this.#health.clear()
    this.conversation.clear()
    this.handOver.withdraw()
    const { me, room, hrContact, saving } = this.state
    this.update({ ...BEFORE, saving, phase, me, room, hrContact })
    this.#settle(false)
  }

  #stopMedia(): void {
    void this.screen.letGo()
    this.#media.close()
    this.#devices.close()
  }

  #settle(joined: boolean): void {
    this.#settleJoin?.(joined)
    this.#settleJoin = null
  }

  #tell(error: unknown): void {
    this.update({ error: toProblem(error) })
  }

  /** Another may have taken the screen from us, or we were moved: stop without a word. */
  #yieldScreen(): void {
    const { room, me } = this.state
    if (this.screen.stream && room?.screen !== me?.participant) void this.screen.letGo()
  }

  #redraw(change: () => void): void {
    change()
    this.#draw()
  }

  #draw(): void {
    const { room, me } = this.state
    if (!room || !me) return
    const trackOf = (mid: string): MediaStreamTrack | null => this.#media.trackOf(mid)
    this.update({
      ...drawRoom(room, me, {
        tiles: this.#tiles,
        trackOf,
        sight: this.#health,
        ownScreen: this.screen.stream,
      }),
      ...this.conversation.draw(room, me),
    })
  }
}
