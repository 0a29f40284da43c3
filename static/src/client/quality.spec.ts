import { expect, test } from 'vitest'

import { QualityJudge } from './quality'
import type { PathSample } from './stats'

const FINE: PathSample = {
  rttMs: 40,
  lossRatio: 0,
  jitterMs: 5,
  sendableBps: 2_000_000,
  cpuLimited: false,
  arrivedBytes: 50_000,
}

const levels = (judge: QualityJudge, sample: Partial<PathSample>, times: number): string[] =>
  Array.from({ length: times }, () => judge.take({ ...FINE, ...sample }).level)

test('a good path is good and asks for nothing', () => {
  expect(new QualityJudge().take(FINE)).toMatchObject({ level: 'good', advice: 'none', rttMs: 40 })
})

test('one bad sample is an accident, two are a fact, three good ones mend it', () => {
  const judge = new QualityJudge()
  expect(levels(judge, { lossRatio: 0.2 }, 1)).toEqual(['good'])
  expect(levels(judge, {}, 1)).toEqual(['good'])
  expect(levels(judge, { lossRatio: 0.2 }, 2)).toEqual(['good', 'poor'])
  expect(levels(judge, {}, 3)).toEqual(['poor', 'poor', 'good'])
})

test.each([
  [{ lossRatio: 0.04 }, 'fair', 'loss'],
  [{ lossRatio: 0.11 }, 'poor', 'loss'],
  [{ rttMs: 300 }, 'fair', 'delay'],
  [{ rttMs: 700 }, 'poor', 'delay'],
  [{ jitterMs: 150 }, 'poor', 'delay'],
  [{ sendableBps: 200_000 }, 'fair', 'bandwidth'],
  [{ sendableBps: 50_000 }, 'poor', 'bandwidth'],
  [{ cpuLimited: true }, 'fair', 'cpu'],
] as const)('%o is %s because of %s', (sample, level, cause) => {
  const judge = new QualityJudge()
  levels(judge, sample, 4)
  expect(judge.quality).toMatchObject({ level, cause })
})

test('an unmeasured path is not called bad', () => {
  const judge = new QualityJudge()
  expect(levels(judge, { rttMs: null, sendableBps: null }, 3)).toEqual(['good', 'good', 'good'])
})

test('advice: another network first, then HR', () => {
  const judge = new QualityJudge()
  levels(judge, { lossRatio: 0.3 }, 2)
  expect(judge.quality.advice).toBe('switch_network')
  levels(judge, { lossRatio: 0.3 }, 40)
  expect(judge.quality.advice).toBe('call_hr')
})

test('a lost path shows at once, advises more as it lasts, and mends with the first sample', () => {
  const judge = new QualityJudge()
  expect(judge.lost()).toMatchObject({ level: 'lost', cause: 'offline', advice: 'switch_network' })
  const advice = Array.from({ length: 40 }, () => judge.lost().advice)
  expect(new Set(advice)).toEqual(new Set(['switch_network', 'refresh', 'call_hr']))
  expect(judge.take(FINE)).toMatchObject({ level: 'good', advice: 'none' })
})
