/** What the SDK would say in each scene. */
import type {
  ConnectionFigures,
  DevicesState,
  HrClientState,
  InterviewState,
  LinkClientState,
  LinkInfo,
  LinkState,
} from '../src/client/types'
import type { HrInterview, RoomView } from '../src/client/protocol'
import { cameraStream, person, screenStream, tileOf } from './people'

const CONTACT = { name: '陈老师', phone: '400-820-1234' }
const ROUNDS = [
  { id: 'r1', title: '初面', index: 0, occupied: true },
  { id: 'r2', title: '复面', index: 1, occupied: true },
]
const TITLE = '门店店长（上海静安店）视频面试'

function at(hours: number): string {
  const moment = new Date()
  moment.setMinutes(0, 0, 0)
  return new Date(moment.getTime() + hours * 3_600_000).toISOString()
}

export function linkState(role: LinkInfo['role'], state: LinkState = 'open'): LinkClientState {
  const info: LinkInfo = {
    role,
    title: TITLE,
    round: '初面',
    starts_at: at(state === 'early' ? 3 : 0),
    ends_at: at(state === 'early' ? 4 : 1),
    hr_contact: CONTACT,
  }
  const known = state !== 'unknown' && state !== 'offline'
  return { state, info: known ? info : null, asked: false }
}

export function devicesState(open: boolean, phone: boolean): DevicesState {
  return {
    microphone: { id: 'm', label: '麦克风', on: true, level: open ? 0.24 : 0 },
    camera: { id: 'c', label: '前置', on: true, facing: phone ? 'user' : null, canFlip: phone },
    stream: open ? cameraStream(phone ? 720 : 1280, phone ? 960 : 720, 1) : null,
    asking: false,
    problem: null,
    list: [],
  }
}

function roomView(placement: RoomView['placement']): RoomView {
  return {
    id: 'room',
    interview_id: 'i1',
    interview_title: TITLE,
    round: { id: 'r1', title: '初面', index: 0, occupied: true },
    rounds: ROUNDS,
    placement,
    participants: [
      person('me', '张三', 'candidate', { placement, since_ms: Date.now() - 200_000 }),
    ],
    screen: null,
    chat: [],
    state: 'live',
    seq: 1,
  }
}

const FIGURES: ConnectionFigures = {
  rttMs: 86,
  jitterMs: 12,
  lossUpRatio: 0.124,
  lossDownRatio: 0.004,
  sentBps: 420_000,
  receivedBps: 1_380_000,
  sendableBps: 510_000,
  receivableBps: 2_600_000,
  sent: { width: 640, height: 360, fps: 15 },
  limitedBy: 'bandwidth',
  frozenRatio: 0.02,
  concealedRatio: 0.011,
  path: 'udp',
}

export function interviewState(change: Partial<InterviewState> = {}): InterviewState {
  return {
    phase: 'check',
    me: null,
    room: null,
    participants: [],
    tiles: [],
    screen: null,
    chat: [],
    unread: 0,
    reactions: [],
    quality: { level: 'good', cause: 'none', reason: 'none', affects: 'none', advice: 'none' },
    figures: FIGURES,
    saving: false,
    waiting: [],
    nextRound: null,
    canTakeBack: null,
    arrival: null,
    hrContact: CONTACT,
    reconnectingSinceMs: null,
    error: null,
    ...change,
  }
}

export function lobby(handedOver = false): InterviewState {
  return interviewState({
    phase: 'lobby',
    me: { participant: 'me', name: '张三', role: 'candidate' },
    room: {
      ...roomView('lobby'),
      ...(handedOver ? { round: { id: 'r2', title: '复面', index: 1, occupied: false } } : {}),
    },
    arrival: handedOver ? 'handed_over' : null,
  })
}

const CHAT = [
  ['i1', '李经理', '你好，能听清吗？', false],
  ['me', '张三', '可以的，声音很清楚。', true],
  [
    'i1',
    '李经理',
    '请先做一分钟的自我介绍，然后说说上一家门店的排班是怎么做的。<b>不用紧张</b>',
    false,
  ],
] as const

export function chatLines(): InterviewState['chat'] {
  return CHAT.map(([participant, name, text, mine], index) => ({
    id: `l${index}`,
    participant,
    name,
    text,
    mine,
    at_ms: Date.now() - 90_000 + index * 20_000,
    state: 'sent',
  }))
}

export function candidateRoom(change: Partial<InterviewState> = {}): InterviewState {
  const host = person('i1', '李经理', 'interviewer')
  return interviewState({
    phase: 'room',
    me: { participant: 'me', name: '张三', role: 'candidate' },
    room: roomView('room'),
    participants: [host],
    tiles: [tileOf(host, 0)],
    chat: chatLines(),
    ...change,
  })
}

export function interviewerRoom(
  others: number,
  change: Partial<InterviewState> = {},
): InterviewState {
  const candidate = person('c1', '张三', 'candidate')
  const people = [
    candidate,
    person('i2', '王总监', 'interviewer', { microphone: false, quality: 'fair' }),
    person('i3', '欧阳娜', 'observer', { camera: false }),
    person('i4', 'Li Lei', 'hr', { quality: 'poor' }),
    person('i5', '赵工', 'interviewer', { connected: false }),
  ].slice(0, others)
  return interviewState({
    phase: 'room',
    me: { participant: 'me', name: '李经理', role: 'interviewer' },
    room: roomView('room'),
    participants: people,
    tiles: people.map((one, who) => tileOf(one, who, who === 0 && others === 1)),
    nextRound: ROUNDS[1] ?? null,
    chat: chatLines(),
    ...change,
  })
}

/** The candidate and the interviewer hear each other only, by whose network. */
export function soundOnly(blame: 'self' | 'peer'): InterviewState {
  const trouble = blame === 'self' ? 'good' : 'poor'
  const other =
    blame === 'self'
      ? person('i1', '李经理', 'interviewer')
      : person('c1', '张三', 'candidate', { quality: trouble })
  const tiles = [tileOf(other, 0, false, { picture: 'paused', blame })]
  if (blame === 'peer') return interviewerRoom(1, { participants: [other], tiles })
  return candidateRoom({
    tiles,
    quality: {
      level: 'poor',
      cause: 'self',
      reason: 'bandwidth',
      affects: 'receiving',
      advice: 'data_saver',
    },
  })
}

export function sharedScreen(mine: boolean): InterviewState['screen'] {
  return { participant: person('i1', '李经理', 'interviewer'), stream: screenStream(), mine }
}

export function waiting(): InterviewState['waiting'] {
  return [
    person('c1', '张三', 'candidate', { placement: 'lobby' }),
    person('o1', 'Alexandra Montgomery', 'observer', { placement: 'lobby', quality: 'poor' }),
  ]
}

export function hrState(full: boolean): HrClientState {
  const interview = (id: string, title: string, live: boolean): HrInterview => ({
    id,
    title,
    starts_at: at(live ? 0 : 26),
    ends_at: at(live ? 1 : 27),
    quality: null,
    rounds: [
      { id: 'r1', title: '初面', index: 0, state: live ? 'ended' : 'waiting' },
      { id: 'r2', title: '复面', index: 1, state: live ? 'live' : 'waiting' },
    ],
    participants: [
      {
        id: 'c',
        name: '张三',
        role: 'candidate',
        round: 'r2',
        connected: live,
        placement: live ? 'lobby' : null,
        bound: live,
        asks_device: live,
        quality: live ? 'fair' : null,
      },
      {
        id: 'i1',
        name: '李经理',
        role: 'interviewer',
        round: 'r1',
        connected: false,
        placement: null,
        bound: live,
        asks_device: false,
        quality: null,
      },
      {
        id: 'i2',
        name: '王总监',
        role: 'interviewer',
        round: 'r2',
        connected: live,
        placement: live ? 'room' : null,
        bound: live,
        asks_device: false,
        quality: live ? 'good' : null,
      },
    ],
  })
  return {
    state: 'live',
    interviews: full ? [interview('a', TITLE, true), interview('b', '收银主管 · 李四', false)] : [],
    error: null,
  }
}
