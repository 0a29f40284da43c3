/** A new interview while HR fills the form in, and what it becomes. Pure. */
import type { NewInterview, NewParticipant, NewRound } from '../../client/types'

export interface DraftInterviewer {
  readonly key: number
  name: string
  /** Position in `rounds`. */
  round: number
}

export interface DraftRound {
  readonly key: number
  title: string
  /** Whether an interviewer lets the candidate in, or the candidate walks in. */
  admission: NewRound['admission']
}

export interface Draft {
  title: string
  /** Local time as the browser's field gives it: `2026-11-22T14:30`. */
  startsAt: string
  minutes: number
  rounds: DraftRound[]
  candidate: string
  interviewers: DraftInterviewer[]
}

export type DraftField = 'title' | 'startsAt' | 'minutes' | 'rounds' | 'candidate' | 'interviewers'
export type DraftFault = 'required' | 'past'

export const MOST_ROUNDS = 20
export const MOST_INTERVIEWERS = 50
export const MOST_NAME_CHARS = 120
/** Links open shortly before the start; an interview that began this long ago is a slip. */
const GRACE_MS = 10 * 60_000
const HALF_HOUR_MS = 30 * 60_000

let keys = 0

/** A key for a row that stays its own when rows before it are removed. */
export function nextKey(): number {
  keys += 1
  return keys
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}

/** A further row of the rounds; waiting to be let in is what people expect. */
export function newRound(title = ''): DraftRound {
  return { key: nextKey(), title, admission: 'manual' }
}

/** `2026-11-22T14:30` in the reader's own time zone. */
export function localField(at: Date): string {
  const day = `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())}`
  return `${day}T${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`
}

export function emptyDraft(nowMs: number, rounds: readonly string[]): Draft {
  return {
    title: '',
    startsAt: localField(new Date(Math.ceil(nowMs / HALF_HOUR_MS) * HALF_HOUR_MS)),
    minutes: 60,
    rounds: rounds.map(newRound),
    candidate: '',
    interviewers: rounds.map((_, round) => ({ key: nextKey(), name: '', round })),
  }
}

/** Removes a round; its interviewers move to the round that took its place. */
export function withoutRound(draft: Draft, index: number): Draft {
  const rounds = draft.rounds.filter((_, position) => position !== index)
  const interviewers = draft.interviewers.map((person) => ({
    ...person,
    round: Math.max(0, Math.min(rounds.length - 1, person.round - (person.round > index ? 1 : 0))),
  }))
  return { ...draft, rounds, interviewers }
}

export function draftFaults(draft: Draft, nowMs: number): Partial<Record<DraftField, DraftFault>> {
  const faults: Partial<Record<DraftField, DraftFault>> = {}
  const starts = Date.parse(draft.startsAt)
  if (!draft.title.trim()) faults.title = 'required'
  if (!Number.isFinite(starts)) faults.startsAt = 'required'
  else if (starts < nowMs - GRACE_MS) faults.startsAt = 'past'
  if (!(draft.minutes >= 5 && draft.minutes <= 24 * 60)) faults.minutes = 'required'
  if (draft.rounds.length === 0 || draft.rounds.some((round) => !round.title.trim())) {
    faults.rounds = 'required'
  }
  if (!draft.candidate.trim()) faults.candidate = 'required'
  if (!draft.interviewers.some((person) => person.name.trim())) faults.interviewers = 'required'
  return faults
}

/** The request. Rows without a name are left out: an empty row is no person. */
export function toNewInterview(draft: Draft): NewInterview {
  const starts = new Date(draft.startsAt)
  const interviewers: NewParticipant[] = draft.interviewers
    .filter((person) => person.name.trim())
    .map((person) => ({ name: person.name.trim(), role: 'interviewer', round: person.round }))
  return {
    title: draft.title.trim(),
    starts_at: starts.toISOString(),
    ends_at: new Date(starts.getTime() + draft.minutes * 60_000).toISOString(),
    rounds: draft.rounds.map(({ title, admission }) => ({ title: title.trim(), admission })),
    participants: [{ name: draft.candidate.trim(), role: 'candidate', round: 0 }, ...interviewers],
  }
}
