/** The scenes by name: `?scene=candidate-room&lang=en`. */
import type { DeviceProblemCode, InterviewState, LinkState } from '../src/client/types'
import * as states from './states'

export interface Scene {
  readonly role: 'candidate' | 'interviewer' | 'hr' | 'help'
  readonly link?: LinkState
  readonly interview?: () => InterviewState
  readonly devices?: boolean
  readonly problem?: DeviceProblemCode
  readonly click?: string
  readonly full?: boolean
}

const LINKS: LinkState[] = [
  'early',
  'expired',
  'revoked',
  'ended',
  'other_device',
  'unknown',
  'offline',
]

const DEVICES: DeviceProblemCode[] = [
  'denied',
  'dismissed',
  'missing',
  'in_use',
  'overconstrained',
  'insecure',
  'unsupported',
  'ended',
]

const PHASES = ['left', 'ended', 'removed', 'replaced', 'failed'] as const

function reactions(of: string): InterviewState['reactions'] {
  return (['like', 'puzzled', 'clap', 'hand'] as const).map((name, id) => ({
    id,
    participant: id % 2 ? 'me' : of,
    participantName: '李经理',
    name,
    mine: id % 2 === 1,
  }))
}

function poor(level: 'fair' | 'poor' | 'lost'): InterviewState['quality'] {
  const advice = { fair: 'data_saver', poor: 'switch_network', lost: 'call_hr' } as const
  const reason = { fair: 'bandwidth', poor: 'loss', lost: 'offline' } as const
  return { level, cause: 'self', reason: reason[level], affects: 'sending', advice: advice[level] }
}

const back = (): InterviewState['canTakeBack'] => ({
  participant: 'c1',
  name: '张三',
  round: { id: 'r2', title: '复面', index: 1, occupied: true },
  untilMs: Date.now() + 58_000,
})

export const SCENES: Record<string, Scene> = {
  'candidate-check': { role: 'candidate' },
  'candidate-check-open': { role: 'candidate', devices: true },
  'candidate-lobby': { role: 'candidate', devices: true, interview: () => states.lobby() },
  'candidate-lobby-next': { role: 'candidate', devices: true, interview: () => states.lobby(true) },
  'candidate-room': {
    role: 'candidate',
    devices: true,
    interview: () => states.candidateRoom({ reactions: reactions('i1'), unread: 2 }),
  },
  'candidate-room-empty': {
    role: 'candidate',
    devices: true,
    interview: () => states.candidateRoom({ tiles: [], participants: [] }),
  },
  'candidate-room-next': {
    role: 'candidate',
    devices: true,
    interview: () => states.candidateRoom({ arrival: 'handed_over' }),
  },
  'candidate-room-chat': {
    role: 'candidate',
    devices: true,
    interview: () => states.candidateRoom(),
    click: '[data-testid=chat-open]',
  },
  'candidate-room-screen': {
    role: 'candidate',
    devices: true,
    interview: () => states.candidateRoom({ screen: states.sharedScreen(false) }),
  },
  'candidate-room-poor': {
    role: 'candidate',
    devices: true,
    interview: () => states.candidateRoom({ quality: poor('poor') }),
    click: '[data-testid=quality]',
  },
  'candidate-room-fair': {
    role: 'candidate',
    devices: true,
    interview: () => states.candidateRoom({ quality: poor('fair') }),
    click: '[data-testid=quality]',
  },
  'candidate-room-details': {
    role: 'candidate',
    devices: true,
    interview: () => states.candidateRoom({ quality: poor('poor'), saving: true }),
    click: '[data-testid=quality], [data-testid=connection-details]',
  },
  'candidate-room-server': {
    role: 'candidate',
    devices: true,
    interview: () =>
      states.candidateRoom({
        quality: {
          level: 'poor',
          cause: 'server',
          reason: 'overload',
          affects: 'both',
          advice: 'wait',
        },
      }),
    click: '[data-testid=quality]',
  },
  'candidate-room-sound-only': {
    role: 'candidate',
    devices: true,
    interview: () => states.soundOnly('self'),
  },
  'interviewer-room-sound-only': {
    role: 'interviewer',
    devices: true,
    interview: () => states.soundOnly('peer'),
  },
  'interviewer-room-troubled': {
    role: 'interviewer',
    devices: true,
    interview: () => states.interviewerRoom(4),
    click: '[data-testid=quality]',
  },
  'candidate-room-reconnecting': {
    role: 'candidate',
    devices: true,
    interview: () =>
      states.candidateRoom({ phase: 'reconnecting', reconnectingSinceMs: Date.now() - 3_000 }),
  },
  'candidate-room-reconnecting-long': {
    role: 'candidate',
    devices: true,
    interview: () =>
      states.candidateRoom({
        phase: 'reconnecting',
        reconnectingSinceMs: Date.now() - 30_000,
        quality: poor('lost'),
      }),
  },
  'candidate-room-help': {
    role: 'candidate',
    devices: true,
    interview: () => states.candidateRoom(),
    click: '[data-testid=help]',
  },
  'interviewer-check': { role: 'interviewer', devices: true },
  'interviewer-room-empty': {
    role: 'interviewer',
    devices: true,
    interview: () => states.interviewerRoom(0),
  },
  'interviewer-room-waiting': {
    role: 'interviewer',
    devices: true,
    interview: () => states.interviewerRoom(0, { waiting: states.waiting() }),
  },
  'interviewer-room-1': {
    role: 'interviewer',
    devices: true,
    interview: () => states.interviewerRoom(1, { reactions: reactions('c1') }),
  },
  'interviewer-room-2': {
    role: 'interviewer',
    devices: true,
    interview: () => states.interviewerRoom(2),
  },
  'interviewer-room-5-chat': {
    role: 'interviewer',
    devices: true,
    interview: () => states.interviewerRoom(5, { waiting: states.waiting() }),
    click: '[data-testid=chat-open]',
  },
  'interviewer-room-screen': {
    role: 'interviewer',
    devices: true,
    interview: () => states.interviewerRoom(3, { screen: states.sharedScreen(true) }),
  },
  'interviewer-room-handed-over': {
    role: 'interviewer',
    devices: true,
    interview: () => states.interviewerRoom(0, { canTakeBack: back() }),
  },
  'interviewer-room-menu': {
    role: 'interviewer',
    devices: true,
    interview: () => states.interviewerRoom(2),
    click: '[data-testid=tile-menu]',
  },
  'interviewer-room-end': {
    role: 'interviewer',
    devices: true,
    interview: () => states.interviewerRoom(1),
    click: '[data-testid=end]',
  },
  'interviewer-room-keys': {
    role: 'interviewer',
    devices: true,
    interview: () => states.interviewerRoom(1),
    click: '[data-testid=shortcuts-open]',
  },
  hr: { role: 'hr', full: true },
  'hr-empty': { role: 'hr' },
  'hr-form': { role: 'hr', click: '[data-testid=hr-create]' },
  help: { role: 'help' },
  ...Object.fromEntries(
    LINKS.map((link): [string, Scene] => [`problem-link-${link}`, { role: 'candidate', link }]),
  ),
  ...Object.fromEntries(
    DEVICES.map((problem): [string, Scene] => [
      `problem-device-${problem}`,
      { role: 'candidate', problem, interview: () => states.lobby() },
    ]),
  ),
  ...Object.fromEntries(
    PHASES.map((phase): [string, Scene] => [
      `problem-${phase}`,
      { role: 'candidate', interview: () => states.interviewState({ phase }) },
    ]),
  ),
}
