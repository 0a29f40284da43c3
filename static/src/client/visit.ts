import { ChatLog } from './chat'
import type { ConnectionParts } from './connection'
import type { Devices } from './devices'
import type { LinkClient } from './link'
import { MediaPath, type MediaPathOwner } from './media_path'
import { rememberVisit, rememberedVisit } from './memory'
import { watchNetwork } from './network'
import { Observable } from './observable'
import { ProblemError, toProblem } from './problem'
import { MAX_CHAT_CHARS } from './protocol'
import type { Commands, EventBody, MediaOffer, Notices, ReactionName, RoomView } from './protocol'
import { RecentReactions } from './reactions'
import { applyEvent } from './room'
import { ScreenShare } from './screen_share'
import { Signaling, type SignalingOwner } from './signaling'
import type { OpenSocket } from './socket'
import { TakeBackOffer } from './take_back'
import { Tiles, othersIn } from './tiles'
import { mark } from './timeline'
import type { InterviewActions, InterviewState, Phase, Quality, SharedScreen } from './types'
import { BEFORE, CLOSED, GOODBYE_PHASE, JOINABLE, nextRound, waitingIn } from './visit_state'

export interface InterviewParts {
  link: LinkClient
  devices: Devices
  openSocket: OpenSocket
  connection: ConnectionParts
}

const QUALITY_REPORT_MS = 10_000
/** A live line answers within this time; a zombie on the old network never does. */
const PROBE_MS = 2_000
const LEAVE_MS = 1_500

type Handlers = { [Name in keyof Notices]: (body: Notices[Name]) => void }

/** One visit to an interview: its state, what a person can do, how it survives bad moments. */
export class Interview
  extends Observable<InterviewState>
  implements InterviewActions, SignalingOwner, MediaPathOwner
{
  readonly #link: LinkClient
  readonly #devices: Devices
  readonly #signaling: Signaling
  readonly #media: MediaPath
  readonly #share: ScreenShare
  readonly #tiles = new Tiles()
  readonly #chat = new ChatLog()
  readonly #reactions = new RecentReactions(() => this.#draw())
  readonly #takeBack = new TakeBackOffer((canTakeBack) => this.update({ canTakeBack }))
  readonly #handlers = this.#noticeHandlers()
  #settleJoin: ((joined: boolean) => void) | null = null
  #stopWatching: (() => void) | null = null
  #sentMedia = ''
  #probing = false
  /** How many visits have ended. */
  #visits = 0
  #serverAheadMs = 0
  #reportedAtMs = 0

  constructor(parts: InterviewParts) {
    super(BEFORE)
    this.#link = parts.link
    this.#devices = parts.devices
    this.#signaling = new Signaling(parts.openSocket, this)
    this.#media = new MediaPath(this, parts.devices, parts.connection)
    this.#share = new ScreenShare({
      send: (track) => this.#media.setScreen(track),
      onEnded: () => void this.stopScreen(),
    })
    parts.devices.subscribe(() => this.#syncMediaState())
    parts.link.subscribe(() => this.#onLink())
  }

  // What a person does.

  join(): Promise<boolean> {
    if (!JOINABLE.includes(this.state.phase)) return Promise.resolve(false)
    mark('join.tap')
    this.update({ ...BEFORE, phase: 'joining' })
    // First of all, while the tap still counts as a gesture.
    void this.#devices.open()
    this.#media.prepare()
    this.#stopWatching ??= watchNetwork({
      onChange: () => this.#onNetworkChange(),
      onReturn: () => this.#onReturn(),
    })
    return new Promise((resolve) => {
      this.#settleJoin = resolve
      this.#signaling.open()
    })
  }

  async leave(): Promise<boolean> {
    const visit = this.#visits
    const told = this.#command('room.leave', {}, LEAVE_MS).catch(() => undefined)
    this.#stopMedia()
    await told
    // The server's goodbye may have come first, and the person may be in again by now.
    if (visit === this.#visits) this.#finish('left')
    return true
  }

  admit(participant: string): Promise<boolean> {
    return this.#did('seat.admit', { participant })
  }

  remove(participant: string): Promise<boolean> {
    return this.#did('seat.remove', { participant })
  }

  mute(participant: string): Promise<boolean> {
    return this.#did('seat.mute', { participant })
  }

  async handOver(participant: string, round?: string): Promise<boolean> {
    const name = this.state.room?.participants.find(({ id }) => id === participant)?.name ?? ''
    const rounds = this.state.room?.rounds ?? []
    const reply = await this.#try('round.hand_over', { participant, round: round ?? null })
    if (!reply) return false
    const to = rounds.find(({ id }) => id === reply.round)
    if (to) this.#takeBack.offer({ participant, name, round: to }, reply.undo_ms)
    return true
  }

  async takeBack(participant: string): Promise<boolean> {
    const done = await this.#did('round.take_back', { participant })
    this.#takeBack.withdraw()
    return done
  }

  end(): Promise<boolean> {
    return this.#did('room.end', {})
  }

  async say(said: string): Promise<boolean> {
    const text = said.trim()
    if (!text) return false
    if (text.length > MAX_CHAT_CHARS) {
      this.#tell(new ProblemError('chat_too_long', `at most ${MAX_CHAT_CHARS} characters`))
      return false
    }
    this.#chat.forgetFailed(text)
    return this.#send(this.#chat.begin(text, Date.now()), text)
  }

  async react(name: ReactionName): Promise<boolean> {
    try {
      await this.#command('reaction.send', { name })
      return true
    } catch (error) {
      // Tapping faster than the room takes is no mistake that needs words.
      if (!(error instanceof ProblemError && error.code === 'reaction_limited')) this.#tell(error)
      return false
    }
  }

  toggleMicrophone(): Promise<boolean> {
    return this.#devices.setMicrophone(!this.#devices.state.microphone.on)
  }

  toggleCamera(): Promise<boolean> {
    return this.#devices.setCamera(!this.#devices.state.camera.on)
  }

  async startScreen(): Promise<boolean> {
    if (this.#share.stream) return true
    try {
      return await this.#share.start(() => this.#command('screen.start', {}))
    } catch (error) {
      this.#tell(error)
      return false
    } finally {
      this.#draw()
    }
  }

  async stopScreen(): Promise<boolean> {
    await this.#share.stop()
    this.#draw()
    return this.#did('screen.stop', {})
  }

  readChat(open: boolean): void {
    this.#chat.read(open)
    this.#draw()
  }

  dismissError(): void {
    this.update({ error: null })
  }

  // What signalling and media ask of their owner.

  get reachable(): boolean {
    return this.#signaling.up
  }

  async joinToken(): Promise<string> {
    const { token } = await this.#link.redeem()
    if (token === null) throw new ProblemError('not_a_participant', 'this link is for HR')
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
    return (await this.#command('media.offer', offer)).sdp
  }

  onTracks(): void {
    this.#draw()
  }

  onStill(): void {
    if (this.reachable) void this.#probe()
  }

  onPathBack(): void {
    this.#signaling.retryNow()
  }

  onQuality(quality: Quality): void {
    const changed = quality.level !== this.state.quality.level
    this.update({ quality })
    const now = Date.now()
    if (!this.reachable || (!changed && now - this.#reportedAtMs < QUALITY_REPORT_MS)) return
    this.#reportedAtMs = now
    this.#command('quality.report', this.#qualityReport()).catch(() => undefined)
  }

  // What the server says.

  #noticeHandlers(): Handlers {
    return {
      welcome: (body) => this.#onWelcome(body),
      place: (body) => this.#onPlace(body),
      event: (body) => this.#onEvent(body),
      slots: ({ slots }) => this.#redraw(() => this.#tiles.setSlots(slots)),
      speaking: ({ participant, speaking }) =>
        this.#redraw(() => this.#tiles.setSpeaking(participant, speaking)),
      'media.more_slots': ({ audio, video }) => this.#media.moreSlots(audio, video),
      'media.lost': ({ silent_ms }) => this.#media.silent(silent_ms),
      resume: () => undefined, // signalling keeps it
      goodbye: ({ reason }) => this.#onGoodbye(reason),
    }
  }

  #onWelcome(welcome: Notices['welcome']): void {
    mark(welcome.resumed ? 'signaling.back' : 'join.welcome')
    this.#serverAheadMs = welcome.server_time_ms - Date.now()
    const room = welcome.room ?? this.state.room
    if (!welcome.resumed && room) this.#chat.arrive(room.chat)
    this.#enter(room, { me: welcome.you, hrContact: welcome.hr_contact })
    this.#media.welcome(welcome.media_kept, welcome.ice_servers)
    this.#sentMedia = ''
    this.#syncMediaState()
    this.#rememberVisit()
    for (const { key, text } of this.#chat.unsent()) void this.#send(key, text)
    this.#settle(true)
  }

  #onPlace({ reason, room }: Notices['place']): void {
    mark('place', { reason })
    this.#chat.arrive(room.chat)
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
    this.update({ room: applyEvent(room, event) })
    this.#onEventBody(event.body, event.at_ms)
    this.#draw()
  }

  #onEventBody(body: EventBody, atMs: number): void {
    const me = this.state.me?.participant
    if (body.type === 'participant.muted' && body.participant === me) {
      void this.#devices.setMicrophone(false)
    } else if (body.type === 'screen.changed') {
      this.#yieldScreen()
    } else if (body.type === 'reaction') {
      const from = this.state.room?.participants.find(({ id }) => id === body.participant)
      const { participant: id } = body
      const ageMs = Date.now() + this.#serverAheadMs - atMs
      this.#reactions.add({ id, name: from?.name ?? '', mine: id === me }, body.name, ageMs)
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

  #rememberVisit(): void {
    const { secret: link } = this.#link
    if (link === null) return
    const { microphone, camera } = this.#devices.state
    rememberVisit({ link, microphone: microphone.on, camera: camera.on })
  }

  #onNetworkChange(): void {
    this.#signaling.retryNow()
    if (!this.reachable) return
    void this.#probe()
    this.#media.networkChanged()
  }

  #onReturn(): void {
    this.#signaling.retryNow()
    if (this.reachable) void this.#probe()
  }

  /** Whether the socket still lives; if not, a new one without waiting for its death. */
  async #probe(): Promise<void> {
    if (this.#probing) return
    this.#probing = true
    try {
      await this.#command('quality.report', this.#qualityReport(), PROBE_MS)
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'timeout') this.#signaling.renew()
    } finally {
      this.#probing = false
    }
  }

  #finish(phase: Phase): void {
    this.#visits += 1
    rememberVisit(null)
    this.#signaling.close()
    this.#stopMedia()
    this.#stopWatching?.()
    this.#stopWatching = null
    this.#tiles.clear()
    this.#chat.clear()
    this.#reactions.clear()
    this.#takeBack.withdraw()
    const { me, room, hrContact } = this.state
    this.update({ ...BEFORE, phase, me, room, hrContact })
    this.#settle(false)
  }

  #stopMedia(): void {
    void this.#share.stop()
    this.#media.close()
    this.#devices.close()
  }

  #settle(joined: boolean): void {
    this.#settleJoin?.(joined)
    this.#settleJoin = null
  }

  // Small change.

  #command<Name extends keyof Commands>(
    name: Name,
    body: Commands[Name]['body'],
    timeoutMs?: number,
  ): Promise<Commands[Name]['reply']> {
    return this.#signaling.command(name, body, timeoutMs)
  }

  /** The reply, or null with the refusal in `error`. */
  async #try<Name extends keyof Commands>(
    name: Name,
    body: Commands[Name]['body'],
  ): Promise<Commands[Name]['reply'] | null> {
    try {
      return await this.#command(name, body)
    } catch (error) {
      this.#tell(error)
      return null
    }
  }

  async #did<Name extends keyof Commands>(
    name: Name,
    body: Commands[Name]['body'],
  ): Promise<boolean> {
    return (await this.#try(name, body)) !== null
  }

  async #send(key: string, text: string): Promise<boolean> {
    this.#draw()
    try {
      const { id } = await this.#command('chat.send', { key, text })
      this.#chat.accepted(key, id)
      return true
    } catch (error) {
      // Without a connection the line waits for the next one; a refusal is final.
      const waits = error instanceof ProblemError && ['offline', 'timeout'].includes(error.code)
      if (!waits) {
        this.#chat.failed(key)
        this.#tell(error)
      }
      return false
    } finally {
      this.#draw()
    }
  }

  #tell(error: unknown): void {
    this.update({ error: toProblem(error) })
  }

  #syncMediaState(): void {
    if (!this.reachable || !this.state.me) return
    const { microphone, camera } = this.#devices.state
    const state = {
      microphone: microphone.on && this.#devices.track('microphone') !== null,
      camera: camera.on && this.#devices.track('camera') !== null,
    }
    const sent = JSON.stringify(state)
    if (sent === this.#sentMedia) return
    this.#sentMedia = sent
    this.#rememberVisit()
    this.#command('media.state', state).catch(() => (this.#sentMedia = ''))
  }

  #qualityReport(): Commands['quality.report']['body'] {
    const { level, rttMs, lossRatio } = this.#media.quality
    return { level, rtt_ms: Math.min(rttMs, 60_000), loss_ratio: Math.min(1, lossRatio) }
  }

  /** Another may have taken the screen from us, or we were moved: stop without a word. */
  #yieldScreen(): void {
    const { room, me } = this.state
    if (this.#share.stream && room?.screen !== me?.participant) void this.#share.stop()
  }

  #redraw(change: () => void): void {
    change()
    this.#draw()
  }

  #draw(): void {
    const { room, me } = this.state
    if (!room || !me) return
    const trackOf = (mid: string): MediaStreamTrack | null => this.#media.trackOf(mid)
    const inRoom = room.placement === 'room'
    const admits = me.role === 'interviewer' || me.role === 'hr'
    this.update({
      participants: inRoom ? othersIn(room, me.participant) : [],
      tiles: inRoom ? this.#tiles.draw(room, me.participant, trackOf) : [],
      screen: inRoom
        ? (this.#ownScreen() ?? this.#tiles.screen(room, me.participant, trackOf))
        : null,
      chat: this.#chat.lines(room.chat, me.participant, me.name),
      unread: this.#chat.unread(room.chat, me.participant),
      reactions: this.#reactions.shown,
      waiting: admits ? waitingIn(room, me.participant) : [],
      nextRound: nextRound(room),
    })
  }

  #ownScreen(): SharedScreen | null {
    const { room, me } = this.state
    const participant = room?.participants.find(({ id }) => id === me?.participant)
    const { stream } = this.#share
    return stream && participant ? { participant, stream, mine: true } : null
  }
}
