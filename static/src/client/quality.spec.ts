import { expect, test } from 'vitest'

import { QualityJudge } from './quality'
import type { PathSample } from './stats'
import { FINE } from './testing/path_samples'

const levels = (judge: QualityJudge, sample: Partial<PathSample>, times: number): string[] =>
  Array.from({ length: times }, () => judge.take({ ...FINE, ...sample }).level)

test('a good path is good', () => {
  const good = { level: 'good', cause: 'none', reason: 'none', affects: 'none' }
  expect(new QualityJudge().take(FINE)).toEqual(good)
})

test('one bad sample is an accident, two are a fact, three good ones mend it', () => {
  const judge = new QualityJudge()
  expect(levels(judge, { lossUpRatio: 0.2 }, 1)).toEqual(['good'])
  expect(levels(judge, {}, 1)).toEqual(['good'])
  expect(levels(judge, { lossUpRatio: 0.2 }, 2)).toEqual(['good', 'poor'])
  expect(levels(judge, {}, 3)).toEqual(['poor', 'poor', 'good'])
})

test('a path at the edge between two levels does not flicker', () => {
  const judge = new QualityJudge()
  const shown = Array.from({ length: 60 }, (_, second) =>
    levels(judge, { lossDownRatio: second % 2 ? 0.029 : 0.031 }, 1),
  )
  expect(new Set(shown.flat())).toEqual(new Set(['good']))
})

test('words for the same level have to last before others take their place', () => {
  const judge = new QualityJudge()
  const suffers = (times: number, sample: Partial<PathSample>): string => {
    levels(judge, sample, times)
    return judge.verdict.affects
  }
  const up = { lossUpRatio: 0.2 }
  const both = { lossUpRatio: 0.2, lossDownRatio: 0.2 }
  expect(suffers(3, up)).toBe('sending')
  for (let turn = 0; turn < 10; turn += 1) {
    expect(suffers(2, both)).toBe('sending')
    expect(suffers(1, up)).toBe('sending')
  }
  expect(suffers(3, both)).toBe('both')
})

test.each<[Partial<PathSample>, string, string, string]>([
  [{ lossUpRatio: 0.04 }, 'fair', 'loss', 'sending'],
  [{ lossDownRatio: 0.11 }, 'poor', 'loss', 'receiving'],
  [{ lossUpRatio: 0.2, lossDownRatio: 0.2 }, 'poor', 'loss', 'both'],
  [{ rttMs: 300 }, 'fair', 'delay', 'both'],
  [{ rttMs: 700 }, 'poor', 'delay', 'both'],
  [{ jitterMs: 150 }, 'poor', 'delay', 'receiving'],
  [{ sendableBps: 200_000 }, 'fair', 'bandwidth', 'sending'],
  [{ sendableBps: 50_000 }, 'poor', 'bandwidth', 'sending'],
  [{ lossDownRatio: 0.2, sendableBps: 50_000 }, 'poor', 'loss', 'both'],
  [{ jitterMs: 150, sendableBps: 50_000 }, 'poor', 'delay', 'both'],
  [{ limitedBy: 'cpu' }, 'fair', 'cpu', 'sending'],
])('%o is %s because of %s, and %s suffers', (sample, level, reason, affects) => {
  const judge = new QualityJudge()
  levels(judge, sample, 4)
  expect(judge.verdict).toEqual({ level, cause: 'self', reason, affects })
})

test('an unmeasured path is not called bad', () => {
  const judge = new QualityJudge()
  const unknown = { rttMs: null, sendableBps: null, lossUpRatio: null, lossDownRatio: null }
  expect(levels(judge, { ...unknown, jitterMs: null }, 3)).toEqual(['good', 'good', 'good'])
})

test('a lost path shows at once, and mends with the first sample', () => {
  const judge = new QualityJudge()
  expect(judge.lost()).toMatchObject({ level: 'lost', cause: 'self', reason: 'offline' })
  expect(judge.take(FINE).level).toBe('good')
})
