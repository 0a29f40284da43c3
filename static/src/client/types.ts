/** What the SDK tells and offers; the stores mirror it and the screens are drawn from it. */
import type {
  ChatView,
  HrContact,
  HrInterview,
  ParticipantView,
  QualityCause,
  QualityFacts,
  QualityLevel,
  QualityReason,
  ReactionName,
  Role,
  RoomView,
  RoundView,
  You,
} from './protocol'
import type { PictureSize } from './encodings'
import type { Limitation, PathKind, SentPicture } from './stats'

export type Phase =
  | 'check' // before the tap
  | 'joining' // tapped: redeeming, connecting
  | 'lobby' // waiting to be admitted
  | 'room' // in the interview
  | 'reconnecting' // the connection to the server is gone; coming back by itself
  | 'left' // left by choice; may join again
  | 'ended' // the round was ended
  | 'removed' // an interviewer removed us
  | 'replaced' // another tab or device took the seat
  | 'failed' // cannot join; `error` says why

/** Why something did not work. `code` is stable: screens translate it. */
export interface Problem {
  code: string
  message: string
  remedy: string
}

export type LinkState =
  | 'loading'
  | 'open'
  | 'early' // its time has not come: see `starts_at`
  | 'expired'
  | 'revoked' // a newer link replaced it
  | 'ended'
  | 'other_device' // bound to another device: `ask()` asks HR to let this one in
  | 'unknown'
  | 'offline' // the server could not be reached; `load()` tries again

export interface LinkInfo {
  role: Role
  title: string
  round: string | null
  starts_at: string
  ends_at: string
  hr_contact: HrContact
}

export type DeviceKind = 'microphone' | 'camera'

export type DeviceProblemCode =
  | 'denied' // the person, or the system, said no
  | 'dismissed' // the question was closed without an answer: ask again
  | 'missing' // no such device
  | 'in_use' // another application holds it
  | 'overconstrained' // no device can do what was asked
  | 'insecure' // not HTTPS: the browser offers no devices
  | 'unsupported' // this browser cannot
  | 'ended' // it was unplugged or taken away in mid-call

export interface DeviceProblem {
  code: DeviceProblemCode
  /** Which devices it concerns. */
  kinds: DeviceKind[]
}

export interface MicrophoneState {
  id: string | null
  label: string
  on: boolean
  /** Loudness now, 0..1. */
  level: number
}

export interface CameraState {
  id: string | null
  label: string
  on: boolean
  facing: 'user' | 'environment' | null
  /** A phone with two cameras: `flip()` does something. */
  canFlip: boolean
}

export interface DeviceChoice {
  kind: DeviceKind
  id: string
  label: string
}

export interface DevicesState {
  microphone: MicrophoneState
  camera: CameraState
  /** For the self view (muted!): stays the same object while tracks in it change. */
  stream: MediaStream | null
  /** The last `open` is still waiting for the person's answer. */
  asking: boolean
  problem: DeviceProblem | null
  list: DeviceChoice[]
}

/** Another participant as drawn: one stable stream with their voice and camera. */
export interface Tile {
  participant: ParticipantView
  /** Never replaced while the participant is here, so that a `<video>` does not flicker. */
  stream: MediaStream
  /** The camera is on and a slot of ours shows it. */
  videoOn: boolean
  audioOn: boolean
  speaking: boolean
  picture: PictureState
  /** What is shown of them now; null before the first picture, or in an old browser. */
  size: { width: number; height: number; fps: number } | null
  quality: PeerQuality
  /** Whose connection keeps the picture away while it is `paused` or `cut`. */
  blame: QualityCause
}

export interface SharedScreen {
  participant: ParticipantView
  stream: MediaStream
  /** We share it ourselves. */
  mine: boolean
}

export interface ChatLine extends ChatView {
  mine: boolean
  /** `failed`: say it again; the text is kept. */
  state: 'sent' | 'sending' | 'failed'
}

export interface ShownReaction {
  /** Unique, for keyed lists. */
  id: number
  participant: string
  participantName: string
  name: ReactionName
  mine: boolean
}

/** The one step that helps most now. */
export type QualityAdvice =
  | 'none'
  | 'wait' // the server is at fault: nothing to do
  | 'move_closer'
  | 'switch_network'
  | 'data_saver'
  | 'video_off'
  | 'close_apps'
  | 'refresh'
  | 'call_hr'

/** What suffers, seen from the person whose connection it is. */
export type Affected = 'none' | 'sending' | 'receiving' | 'both'

/** How good a connection is, whose fault it is, and what that comes from. */
export interface Verdict {
  level: QualityLevel
  cause: QualityCause
  reason: QualityReason
  affects: Affected
}

/** My own connection. */
export interface Quality extends Verdict {
  advice: QualityAdvice
}

/** Another's connection as the server tells it. */
export interface PeerQuality extends Verdict {
  facts: QualityFacts | null
}

/** My own connection in figures, for those who want them; null: not measured. */
export interface ConnectionFigures {
  rttMs: number | null
  jitterMs: number | null
  lossUpRatio: number | null
  lossDownRatio: number | null
  sentBps: number
  receivedBps: number
  /** What the browser believes it can send. */
  sendableBps: number | null
  /** What the server believes it can send to us. */
  receivableBps: number | null
  sent: SentPicture | null
  limitedBy: Limitation
  /** Shares of the last seconds: pictures that stood still, sound that was made up. */
  frozenRatio: number | null
  concealedRatio: number | null
  path: PathKind | null
}

/**
 * What a tile can show: `starting` until the first picture, `off` while the camera is, `paused`
 * while pictures do not come through although it is on, `cut` while one of us was never connected:
 * then there is no sound either.
 */
export type PictureState = 'live' | 'starting' | 'off' | 'paused' | 'cut'

/** Our last hand-over, while it can still be undone. */
export interface TakeBack {
  participant: string
  name: string
  round: RoundView
  /** On the clock of `Date.now()`. */
  untilMs: number
}

export interface InterviewState {
  phase: Phase
  me: You | null
  room: RoomView | null
  /** The others who are in the room (not the lobby). */
  participants: ParticipantView[]
  tiles: Tile[]
  screen: SharedScreen | null
  chat: ChatLine[]
  unread: number
  reactions: ShownReaction[]
  quality: Quality
  /** Null until the first second on a connection is over. */
  figures: ConnectionFigures | null
  /** Less data: our camera small, the others' too. Remembered on this device. */
  saving: boolean
  /** Who waits in the lobby, for those who may admit. */
  waiting: ParticipantView[]
  nextRound: RoundView | null
  canTakeBack: TakeBack | null
  /** Why we were moved here last: `handed_over` calls for a word to the candidate. */
  arrival: 'admitted' | 'handed_over' | 'taken_back' | null
  hrContact: HrContact
  /** Since when the connection is gone, on the clock of `Date.now()`; null while it is up. */
  reconnectingSinceMs: number | null
  error: Problem | null
}

/** Every action says whether the server accepted it; a refusal is in `error`. */
export interface InterviewActions {
  /** The one tap: redeem the link, connect, open microphone and camera. */
  join(): Promise<boolean>
  leave(): Promise<boolean>
  admit(participant: string): Promise<boolean>
  remove(participant: string): Promise<boolean>
  mute(participant: string): Promise<boolean>
  /** To the next round unless `round` names another. */
  handOver(participant: string, round?: string): Promise<boolean>
  takeBack(participant: string): Promise<boolean>
  end(): Promise<boolean>
  say(text: string): Promise<boolean>
  react(name: ReactionName): Promise<boolean>
  toggleMicrophone(): Promise<boolean>
  toggleCamera(): Promise<boolean>
  /** Our camera and what we are sent shrink to what a slow or dear network bears. */
  saveData(on: boolean): void
  /**
   * How large a picture of another is drawn, in pixels of the screen; 0 by 0 while it is hidden.
   * Nothing larger is then sent to us.
   */
  drawn(participant: string, source: 'camera' | 'screen', size: PictureSize): void
  startScreen(): Promise<boolean>
  stopScreen(): Promise<boolean>
  /** The chat is open: nothing in it is unread, now and until it is closed. */
  readChat(open: boolean): void
  dismissError(): void
}

/** A snapshot that is replaced on each change, and who wants to hear of it. */
export interface Observed<State> {
  readonly state: Readonly<State>
  subscribe(listener: (state: Readonly<State>) => void): () => void
}

export interface DevicesActions {
  /** For the check screen: open without a question if permission was given before, else nothing. */
  prepare(): Promise<boolean>
  /** Ask for microphone and camera; resolves when the person answered. False: see `problem`. */
  open(): Promise<boolean>
  /** After a problem: try again from the beginning. */
  retry(): Promise<boolean>
  /** The phone's other camera. */
  flip(): Promise<boolean>
  setMicrophone(on: boolean): Promise<boolean>
  setCamera(on: boolean): Promise<boolean>
  choose(kind: DeviceKind, id: string): Promise<boolean>
  close(): void
}

export interface LinkClientState {
  state: LinkState
  /** Null until the server answered, and for an unknown link. */
  info: LinkInfo | null
  /** HR was asked to let this device in. */
  asked: boolean
}

export interface LinkActions {
  /** What the link is for; changes nothing on the server. */
  load(link: string): Promise<LinkState>
  /** Ask HR to let this second device in. */
  ask(): Promise<boolean>
}

export type HrState = 'loading' | 'live' | 'offline' | 'signed_out'

export interface HrClientState {
  state: HrState
  interviews: HrInterview[]
  error: Problem | null
}

export interface NewRound {
  title: string
  admission: 'manual' | 'automatic'
}

export interface NewParticipant {
  name: string
  role: Role
  /** Index into the rounds; a candidate begins in the first one. */
  round?: number
}

export interface NewInterview {
  title: string
  /** ISO 8601 with an offset. */
  starts_at: string
  ends_at: string
  rounds: NewRound[]
  participants: NewParticipant[]
}

/** A created interview's people with their links, shown this once. */
export interface CreatedInterview {
  id: string
  participants: { id: string; name: string; role: Role; link: string }[]
}

export interface HrActions {
  /** Sign in by the HR link (or by the cookie of before) and follow the live list. */
  open(link?: string): Promise<boolean>
  /** A fresh URL for a participant; the old one stops working. Null: see `error`. */
  newLink(interview: string, participant: string): Promise<string | null>
  /** Let the participant's next device in. */
  release(interview: string, participant: string): Promise<boolean>
  createInterview(interview: NewInterview): Promise<CreatedInterview | null>
  dismissError(): void
  close(): void
}
