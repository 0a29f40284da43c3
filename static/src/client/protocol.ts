// Generated from signaling/protocol by `python -m signaling.protocol.typescript`. Do not edit.
/* eslint-disable */

export const PROTOCOL_VERSION = 1;
export const MAX_MESSAGE_BYTES = 262144;
export const MAX_COMMAND_BYTES = 16384;
export const MAX_SDP_BYTES = 131072;
export const MAX_CHAT_CHARS = 2000;
export const MAX_CHAT_REPLAY = 200;

export type Role = 'candidate' | 'interviewer' | 'observer' | 'hr';
export type Placement = 'lobby' | 'room';
export type SourceKind = 'microphone' | 'camera' | 'screen';
export type ReactionName = 'like' | 'puzzled' | 'clap' | 'hand';
export type QualityLevel = 'good' | 'fair' | 'poor' | 'lost';
export type QualityCause = 'none' | 'self' | 'peer' | 'server';
export type QualityReason = 'none' | 'unconnected' | 'offline' | 'loss' | 'delay' | 'bandwidth' | 'cpu' | 'overload';
export type ConnectErrorCode =
  | 'auth_invalid'
  | 'token_invalid'
  | 'token_expired'
  | 'token_used'
  | 'token_revoked'
  | 'interview_unknown'
  | 'interview_closed'
  | 'round_unknown'
  | 'round_ended'
  | 'room_ended'
  | 'room_full'
  | 'busy'
  | 'internal';
export type CommandErrorCode =
  | 'unknown_command'
  | 'message_invalid'
  | 'message_too_large'
  | 'rate_limited'
  | 'not_permitted'
  | 'not_seated'
  | 'participant_unknown'
  | 'participant_not_waiting'
  | 'candidate_only'
  | 'screen_taken'
  | 'reaction_limited'
  | 'chat_full'
  | 'round_unknown'
  | 'round_current'
  | 'round_ended'
  | 'undo_expired'
  | 'room_ended'
  | 'room_full'
  | 'media_missing'
  | 'sdp_too_large'
  | 'sdp_malformed'
  | 'sdp_no_bundle'
  | 'sdp_no_rtcp_mux'
  | 'sdp_ice'
  | 'sdp_fingerprint'
  | 'sdp_setup'
  | 'sdp_tracks'
  | 'sdp_no_media'
  | 'sdp_changed'
  | 'busy'
  | 'visit_over'
  | 'internal';

/** Why a command was refused. `code` is stable; `message` is for logs, screens translate. */
export interface ProtocolError {
  code: string;
  message: string;
  remedy: string;
}

/**
 * Exactly one of `token` (a fresh join token) and `resume` (from `welcome` or `resume`).
 *
 * With `resume`, `room` and `seq` name the last event seen, so that only the missed ones are
 * sent instead of the whole room.
 */
export interface Auth {
  token?: string | null;
  resume?: string | null;
  room?: string | null;
  seq?: number | null;
}

/**
 * A participant as the others see them.
 *
 * `connected` is false while a reconnect is awaited; `since_ms` is when the present placement
 * began (Unix time), so that a lobby can say how long somebody has waited.
 */
export interface ParticipantView {
  id: string;
  name: string;
  role: Role;
  placement: Placement;
  connected: boolean;
  microphone: boolean;
  camera: boolean;
  screen: boolean;
  quality: QualityLevel;
  since_ms: number;
}

export interface ChatView {
  id: string;
  participant: string;
  name: string;
  text: string;
  at_ms: number;
}

/** A round of the interview. `occupied`: an interviewer is seated there now. */
export interface RoundView {
  id: string;
  title: string;
  index: number;
  occupied: boolean;
}

/** A room as one participant may see it; in the lobby only one's own entry is listed. */
export interface RoomView {
  id: string;
  interview_id: string;
  interview_title: string;
  round: RoundView;
  rounds: RoundView[];
  placement: Placement;
  participants: ParticipantView[];
  screen: string | null;
  chat: ChatView[];
  state: 'waiting' | 'live' | 'ended';
  seq: number;
}

/**
 * What one slot shows. `participant` is null for an empty slot.
 *
 * `paused`: my network cannot hold even the smallest picture, so there is sound only for now.
 */
export interface SlotView {
  mid: string;
  participant: string | null;
  source: SourceKind | null;
  paused: boolean;
}

/**
 * A layer of mine that somebody watches.
 *
 * `rid` is `""` for the only encoding of a source without rids. `max_bps`: its only viewer's
 * network carries no more than so many bits a second, so the encoder should make a picture for
 * that (`maxBitrate`, where its own is not smaller already) instead of one that loses frames on
 * the way. Null: no limit; the layer's own `maxBitrate` holds again.
 */
export interface WantedLayer {
  rid: string;
  max_bps: number | null;
}

/**
 * What was measured of one participant's connection lately; null: not measured.
 *
 * Up is from the participant to the server, down from the server to them. `estimate_bps` is
 * what their downlink is believed to carry, `sent_height` the tallest picture that they send,
 * `shown_height` the tallest that they are shown, `freeze_ratio` the share of the time in which
 * a picture stood still, `concealed_ratio` the share of sound that had to be made up, and
 * `video_paused` whether they get no video because there is no room for it.
 */
export interface QualityFacts {
  rtt_ms: number | null;
  loss_up_ratio: number | null;
  loss_down_ratio: number | null;
  jitter_ms: number | null;
  up_bps: number | null;
  down_bps: number | null;
  estimate_bps: number | null;
  sent_height: number | null;
  shown_height: number | null;
  freeze_ratio: number | null;
  concealed_ratio: number | null;
  video_paused: boolean;
}

export interface IceServer {
  urls: string[];
  username: string | null;
  credential: string | null;
}

export interface HrContact {
  name: string;
  phone: string;
}

/** The command was carried out; there is nothing more to say. */
export type Done = Record<string, never>;

/** The server's SDP answer. */
export interface MediaAnswer {
  sdp: string;
}

/** The message as the room knows it; the same id for a retry with the same key. */
export interface ChatAccepted {
  id: string;
}

/** Where the candidate is now. `undo_ms`: for so long `round.take_back` works. */
export interface HandedOver {
  round: string;
  placement: Placement;
  undo_ms: number;
}

/**
 * The client's SDP offer; the answer's SDP is in the acknowledgement as `sdp`.
 *
 * `tracks` names the client's sending sections by mid. The same command renegotiates (more
 * slots) and restarts ICE. The session id in the offer's `o=` line, which a browser keeps for
 * the life of a peer connection, tells a later offer from the first one of a new connection.
 */
export interface MediaOffer {
  sdp: string;
  tracks: Record<string, SourceKind>;
}

/** Whether my microphone and camera are on, as I set them. */
export interface MediaState {
  microphone: boolean;
  camera: boolean;
}

/** How large a slot is drawn, in CSS pixels times `devicePixelRatio`; 0 and 0: not at all. */
export interface SlotSize {
  slot: string;
  width: number;
  height: number;
}

/**
 * How large slots are drawn: those whose size changed.
 *
 * A slot that was never named may be as large as the source; one that is not drawn costs no
 * bandwidth. What is smaller gets a smaller layer. A new peer connection begins anew.
 */
export interface SlotsSizes {
  sizes: SlotSize[];
}

/**
 * The most picture lines that I want of anybody: saves data. Null: no limit; 0: sound only.
 *
 * Kept for the whole visit, reconnects included. The lowest layer is sent even if it is larger.
 */
export interface VideoLimit {
  max_height: number | null;
}

/** Let a waiting participant in (interviewer, HR). */
export interface SeatAdmit {
  participant: string;
}

/** Remove a participant from the room or the lobby (interviewer, HR). */
export interface SeatRemove {
  participant: string;
}

/** Mute another's microphone; the owner can unmute it again (interviewer, HR). */
export interface SeatMute {
  participant: string;
}

/**
 * Move the candidate to another round, by default the next one (interviewer, HR).
 *
 * The candidate enters the room at once if an interviewer is seated there, else its lobby.
 */
export interface RoundHandOver {
  participant: string;
  round?: string | null;
}

/** Undo my hand-over while the candidate has been gone for less than a minute. */
export interface RoundTakeBack {
  participant: string;
}

/** Begin to share my screen; refused with `screen_taken` while another shares. */
export type ScreenStart = Record<string, never>;

/** Stop sharing my screen. */
export type ScreenStop = Record<string, never>;

/** Say something to everyone in the room. `key` makes a retry harmless. */
export interface ChatSend {
  text: string;
  key: string;
}

/** 点赞 like, 疑惑 puzzled, 鼓掌 clap, 举手 hand. */
export interface ReactionSend {
  name: ReactionName;
}

/** What one video slot drew at last: the decoded picture and its rate. */
export interface SlotReport {
  mid: string;
  width: number;
  height: number;
  fps: number;
}

/**
 * What the client measured of its own connection since its report before.
 *
 * Sent every 5 s, and at once when `level`, the client's own judgement, changes. A value that
 * the browser does not give is null. It only ever speaks of the sender: what is wrong with
 * others the server finds out by itself, and where it measured something its own figure counts.
 *
 * `span_ms` is how long the report covers: `freezes` and `frozen_ms` (of all slots together)
 * and `concealed_ratio` (of the sound played, silence left out) are of that time. `slots` lists
 * the video slots that show somebody. `limited_by` is why our encoder sends less than it could,
 * `sendable_bps` the browser's estimate of its uplink. `path` is how media travels.
 * `join_ms` is the time from the tap to a media path that stands, `first_frame_ms` from the tap,
 * or from when there first was somebody to see if that was later, to the first picture drawn;
 * both may be repeated, the first value counts. With `level` alone it only asks whether the
 * server is there.
 */
export interface QualityReport {
  level: QualityLevel;
  span_ms?: number;
  rtt_ms?: number | null;
  loss_up_ratio?: number | null;
  loss_down_ratio?: number | null;
  jitter_ms?: number | null;
  freezes?: number;
  frozen_ms?: number;
  concealed_ratio?: number | null;
  slots?: SlotReport[];
  sent_height?: number | null;
  sent_fps?: number | null;
  limited_by?: 'none' | 'bandwidth' | 'cpu' | 'other';
  sendable_bps?: number | null;
  path?: 'udp' | 'tcp' | 'relay' | null;
  join_ms?: number | null;
  first_frame_ms?: number | null;
}

/** End this round for everyone (interviewer, HR). */
export type RoomEnd = Record<string, never>;

/** Leave; coming back needs the link again. */
export type RoomLeave = Record<string, never>;

/** Someone knocked (placement lobby), was admitted, arrived or came back. */
export interface ParticipantEntered {
  type: 'participant.entered';
  participant: ParticipantView;
}

/** Microphone, camera, screen, quality or connection of a participant changed. */
export interface ParticipantChanged {
  type: 'participant.changed';
  participant: ParticipantView;
}

export interface ParticipantLeft {
  type: 'participant.left';
  participant: string;
  reason: 'left' | 'removed' | 'handed_over' | 'lost';
  to_round: string | null;
}

export interface ScreenChanged {
  type: 'screen.changed';
  participant: string | null;
}

export interface ChatMessage {
  type: 'chat.message';
  message: ChatView;
}

export interface Reaction {
  type: 'reaction';
  participant: string;
  name: ReactionName;
}

/** `participant` was muted by `by`; their client switches the microphone off. */
export interface MutedByOther {
  type: 'participant.muted';
  participant: string;
  by: string;
}

/** Another round of this interview became occupied or free (not sent to candidates). */
export interface RoundsChanged {
  type: 'rounds.changed';
  round: string;
  occupied: boolean;
}

export interface RoomEnded {
  type: 'room.ended';
  by: string | null;
}

export interface RoomEvent {
  room: string;
  seq: number;
  at_ms: number;
  body: EventBody;
}

export interface You {
  participant: string;
  name: string;
  role: Role;
}

/**
 * The first message on a connection. `resume` replaces the join token for a reconnect.
 *
 * After a resume with `seq`, `room` is null if the missed events follow as `event`.
 */
export interface Welcome {
  protocol: number;
  you: You;
  resume: string;
  resumed: boolean;
  media_kept: boolean;
  room: RoomView | null;
  ice_servers: IceServer[];
  hr_contact: HrContact;
  server_time_ms: number;
}

/** You are now here: admitted, handed over, or back in the lobby. */
export interface Place {
  reason: 'admitted' | 'handed_over' | 'taken_back';
  placement: Placement;
  room: RoomView;
}

/** What each of your slots shows now: the whole list, every time. */
export interface Slots {
  slots: SlotView[];
}

/** The room has outgrown your slots: offer again with at least this many of each. */
export interface MoreSlots {
  audio: number;
  video: number;
}

/**
 * The layers of my camera and screen that somebody watches now, and how much of each is of use.
 *
 * The client pauses the others (`encodings[i].active = false`) and resumes one as soon as it is
 * named again. Null: the server knows of no such source yet, so nothing is paused or limited.
 * `[]`: nobody watches this source. While a limit follows a viewer's network this comes up to
 * about four times a second; the newest alone counts.
 */
export interface LayersWanted {
  camera: WantedLayer[] | null;
  screen: WantedLayer[] | null;
}

export interface Speaking {
  participant: string;
  speaking: boolean;
}

/**
 * How good the connection of `participant`, maybe you, is now, and who is the cause.
 *
 * Told to everyone who sees the participant: at a change, every 10 s while the grade is not
 * `good` (for the figures), and after `welcome` or `place` for all that are not good. `cause`
 * is from your point of view: `self`: you are the participant, and it is your network or
 * device; `peer`: it is theirs; `server`: neither's, this server is overloaded; `none` with
 * grade `good`, and with reason `unconnected`: their media was never connected, whoever
 * stands in the way. `affects`: what suffers, seen from the participant: what they send, what
 * they receive, or both.
 */
export interface QualityChanged {
  participant: string;
  grade: QualityLevel;
  cause: QualityCause;
  reason: QualityReason;
  affects: 'none' | 'sending' | 'receiving' | 'both';
  facts: QualityFacts;
}

/** The media path is silent: restart ICE (`silent_ms` < 15000) or build a new connection. */
export interface MediaLost {
  silent_ms: number;
}

/** A fresh resume token; the one before it is worthless from now on. */
export interface Resume {
  resume: string;
}

/** The server closes this connection and says why. */
export interface Goodbye {
  reason: 'ended' | 'removed' | 'replaced' | 'left' | 'revoked' | 'shutdown';
}

/** A person in an interview. `bound`: the link belongs to one device already. */
export interface HrParticipant {
  id: string;
  name: string;
  role: Role;
  round: string | null;
  connected: boolean;
  placement: Placement | null;
  bound: boolean;
  asks_device: boolean;
  quality: QualityLevel | null;
}

/** One readable sentence about how the connections of an interview were. */
export interface QualityLine {
  zh: string;
  en: string;
}

export interface HrRound {
  id: string;
  title: string;
  index: number;
  state: 'waiting' | 'live' | 'ended';
}

export interface HrInterview {
  id: string;
  title: string;
  starts_at: string;
  ends_at: string;
  quality: QualityLine | null;
  rounds: HrRound[];
  participants: HrParticipant[];
}

/** Sent on connect: everything. */
export interface HrInterviews {
  interviews: HrInterview[];
}

/** One interview, whole, whenever something in it changed. */
export interface HrInterviewChanged {
  interview: HrInterview;
}

export type EventBody = ParticipantEntered | ParticipantChanged | ParticipantLeft | ScreenChanged | ChatMessage | Reaction | MutedByOther | RoundsChanged | RoomEnded;

/** The acknowledgement of a command. */
export type Acknowledgement<Reply> =
  | { ok: true; data: Reply }
  | { ok: false; error: ProtocolError };

/** Commands of namespace `/room`: event name, body, acknowledged data. */
export interface Commands {
  'media.offer': { body: MediaOffer; reply: MediaAnswer };
  'media.state': { body: MediaState; reply: Done };
  'slots.sizes': { body: SlotsSizes; reply: Done };
  'video.limit': { body: VideoLimit; reply: Done };
  'seat.admit': { body: SeatAdmit; reply: Done };
  'seat.remove': { body: SeatRemove; reply: Done };
  'seat.mute': { body: SeatMute; reply: Done };
  'round.hand_over': { body: RoundHandOver; reply: HandedOver };
  'round.take_back': { body: RoundTakeBack; reply: Done };
  'screen.start': { body: ScreenStart; reply: Done };
  'screen.stop': { body: ScreenStop; reply: Done };
  'chat.send': { body: ChatSend; reply: ChatAccepted };
  'reaction.send': { body: ReactionSend; reply: Done };
  'quality.report': { body: QualityReport; reply: Done };
  'room.end': { body: RoomEnd; reply: Done };
  'room.leave': { body: RoomLeave; reply: Done };
}

/** What the server sends in namespace `/room`: event name and body. */
export interface Notices {
  'event': RoomEvent;
  'welcome': Welcome;
  'place': Place;
  'slots': Slots;
  'media.more_slots': MoreSlots;
  'layers.wanted': LayersWanted;
  'speaking': Speaking;
  'quality.changed': QualityChanged;
  'media.lost': MediaLost;
  'resume': Resume;
  'goodbye': Goodbye;
}

/** What the server sends in namespace `/hr`: event name and body. */
export interface HrNotices {
  'interviews': HrInterviews;
  'interview': HrInterviewChanged;
}
