/** An SDK for screens: stands in a given state, records what it is asked, changes when told. */
import type { InterviewState } from '../../client/types'
import type { Sdk } from '../../store/sdk'

export interface StandingSdk extends Sdk {
  /** Every action asked for: its name and arguments. */
  readonly calls: unknown[][]
  change(patch: Partial<InterviewState>): void
}

type Listener = (state: object) => void

function standing(state: object, calls: unknown[][], listeners: Set<Listener>): object {
  const known: Record<string, unknown> = {
    state,
    subscribe: (listener: Listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return new Proxy(known, {
    get: (target, name: string) =>
      target[name] ??
      ((...values: unknown[]) => {
        if (name !== 'readChat') calls.push([name, ...values])
        return Promise.resolve(true)
      }),
  })
}

const DEVICES = {
  microphone: { id: null, label: '', on: true, level: 0 },
  camera: { id: null, label: '', on: true, facing: null, canFlip: false },
  stream: null,
  asking: false,
  problem: null,
  list: [],
}

export function standingSdk(state: InterviewState): StandingSdk {
  const calls: unknown[][] = []
  const listeners = new Set<Listener>()
  return {
    calls,
    change: (patch) => listeners.forEach((listener) => listener({ ...state, ...patch })),
    link: standing({ state: 'open', info: null, asked: false }, calls, new Set()) as Sdk['link'],
    devices: standing(DEVICES, calls, new Set()) as Sdk['devices'],
    interview: standing(state, calls, listeners) as Sdk['interview'],
  }
}

/** 李经理 alone with the candidate 张三 in the first of two rounds. */
export function interviewerRoomState(nowMs: number): InterviewState {
  const candidate = {
    id: 'c1',
    name: '张三',
    role: 'candidate',
    placement: 'room',
    connected: true,
    microphone: true,
    camera: true,
    screen: false,
    quality: 'good',
    since_ms: nowMs - 60_000,
  } as const
  const rounds = [
    { id: 'r1', title: '初面', index: 0, occupied: true },
    { id: 'r2', title: '复面', index: 1, occupied: true },
  ] as const
  return {
    phase: 'room',
    me: { participant: 'i1', name: '李经理', role: 'interviewer' },
    room: {
      id: 'room',
      interview_id: 'interview',
      interview_title: '门店店长',
      round: rounds[0],
      rounds: [...rounds],
      placement: 'room',
      participants: [candidate],
      screen: null,
      chat: [],
      state: 'live',
      seq: 1,
    },
    participants: [candidate],
    tiles: [],
    screen: null,
    chat: [],
    unread: 0,
    reactions: [],
    quality: { level: 'good', cause: 'none', reason: 'none', affects: 'none', advice: 'none' },
    figures: null,
    saving: false,
    waiting: [],
    nextRound: rounds[1],
    canTakeBack: null,
    arrival: null,
    hrContact: { name: '', phone: '' },
    reconnectingSinceMs: null,
    error: null,
  }
}
