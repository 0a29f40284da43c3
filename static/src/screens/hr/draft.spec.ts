import { describe, expect, it } from 'vitest'

import {
  draftFaults,
  emptyDraft,
  localField,
  toNewInterview,
  withoutRound,
  type Draft,
} from './draft'

const NOW = new Date(2026, 10, 22, 14, 7).getTime()

function filled(): Draft {
  const draft = emptyDraft(NOW, ['初面', '复面'])
  draft.title = ' 店长 · 张三 '
  draft.candidate = '张三'
  draft.interviewers = draft.interviewers.map((person, index) => ({
    ...person,
    name: ['李经理', '王总监'][index] ?? '',
  }))
  return draft
}

describe('emptyDraft', () => {
  it('starts at the next half hour, in local time', () => {
    expect(emptyDraft(NOW, ['初面']).startsAt).toBe('2026-11-22T14:30')
  })

  it('has an interviewer row for each round', () => {
    expect(emptyDraft(NOW, ['a', 'b']).interviewers.map((person) => person.round)).toEqual([0, 1])
  })
})

describe('draftFaults', () => {
  it('finds nothing wrong with a filled form', () => {
    expect(draftFaults(filled(), NOW)).toEqual({})
  })

  it('names every empty field', () => {
    const draft = { ...emptyDraft(NOW, ['']), startsAt: '', minutes: Number.NaN }
    expect(Object.keys(draftFaults(draft, NOW)).sort()).toEqual(
      ['candidate', 'interviewers', 'minutes', 'rounds', 'startsAt', 'title'].sort(),
    )
  })

  it('refuses a start in the past but not one of just now', () => {
    const late = { ...filled(), startsAt: localField(new Date(NOW - 3_600_000)) }
    const justNow = { ...filled(), startsAt: localField(new Date(NOW - 120_000)) }
    expect(draftFaults(late, NOW)).toEqual({ startsAt: 'past' })
    expect(draftFaults(justNow, NOW)).toEqual({})
  })

  it('takes spaces for nothing', () => {
    expect(draftFaults({ ...filled(), candidate: '  ' }, NOW)).toEqual({ candidate: 'required' })
  })
})

describe('withoutRound', () => {
  it('keeps every interviewer in a round that exists', () => {
    const draft = withoutRound(filled(), 0)
    expect(draft.rounds.map((round) => round.title)).toEqual(['复面'])
    expect(draft.interviewers.map((person) => person.round)).toEqual([0, 0])
  })
})

describe('toNewInterview', () => {
  it('trims, adds the length and leaves rows without a name out', () => {
    const draft = filled()
    draft.interviewers.push({ key: 99, name: '  ', round: 0 })
    if (draft.rounds[1]) draft.rounds[1].admission = 'automatic'
    const request = toNewInterview(draft)
    expect(request.title).toBe('店长 · 张三')
    expect(request.rounds).toEqual([
      { title: '初面', admission: 'manual' },
      { title: '复面', admission: 'automatic' },
    ])
    expect(Date.parse(request.ends_at) - Date.parse(request.starts_at)).toBe(3_600_000)
    expect(request.participants).toEqual([
      { name: '张三', role: 'candidate', round: 0 },
      { name: '李经理', role: 'interviewer', round: 0 },
      { name: '王总监', role: 'interviewer', round: 1 },
    ])
  })
})
