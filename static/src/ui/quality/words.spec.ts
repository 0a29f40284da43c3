import { expect, test } from 'vitest'

import zh from '../../locales/zh'
import type { Verdict } from '../../client/types'
import {
  bitrate,
  cutKey,
  effectKey,
  milliseconds,
  pausedKey,
  percent,
  pictureSize,
  reasonKey,
  wordKey,
  wordOfKey,
} from './words'

function text(key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], zh)
}

const verdict = (patch: Partial<Verdict>): Verdict => ({
  level: 'poor',
  cause: 'self',
  reason: 'loss',
  affects: 'sending',
  ...patch,
})

test('every reason, effect and pause has its words', () => {
  const reasons = [
    'unconnected',
    'offline',
    'loss',
    'delay',
    'bandwidth',
    'cpu',
    'overload',
  ] as const
  for (const reason of reasons) expect(text(reasonKey(verdict({ reason })))).toBeTypeOf('string')
  for (const affects of ['sending', 'receiving', 'both'] as const) {
    expect(text(effectKey(verdict({ affects })))).toBeTypeOf('string')
  }
  for (const blame of ['none', 'self', 'peer', 'server'] as const) {
    expect(text(pausedKey(blame))).toBeTypeOf('string')
    expect(text(cutKey(blame))).toBeTypeOf('string')
  }
})

test('every mark has its words, of me and of others', () => {
  const marks: Partial<Verdict>[] = [
    { level: 'good' },
    { level: 'fair' },
    { level: 'poor' },
    { level: 'lost', reason: 'offline' },
    { level: 'lost', cause: 'none', reason: 'unconnected' },
    { cause: 'server' },
  ]
  for (const mark of marks) {
    expect(text(wordKey(verdict(mark)))).toBeTypeOf('string')
    expect(text(wordOfKey(verdict(mark)))).toBeTypeOf('string')
  }
})

test('the server owns up, whatever was measured of the network', () => {
  expect(reasonKey(verdict({ cause: 'server', reason: 'delay' }))).toBe('quality.reason.overload')
})

test('a path that is gone needs no word on who suffers', () => {
  expect(effectKey(verdict({ level: 'lost', affects: 'both' }))).toBe('')
})

test('figures are written so that they can be read out on the phone', () => {
  expect([milliseconds(85.6), milliseconds(null)]).toEqual(['86 ms', '–'])
  expect([percent(0), percent(0.004), percent(0.0312), percent(0.127), percent(null)]).toEqual([
    '0 %',
    '0.4 %',
    '3.1 %',
    '13 %',
    '–',
  ])
  expect([bitrate(0), bitrate(420_400), bitrate(1_380_000), bitrate(null)]).toEqual([
    '0 kbit/s',
    '420 kbit/s',
    '1.4 Mbit/s',
    '–',
  ])
  expect(pictureSize({ width: 640, height: 360, fps: 14.9 })).toBe('640×360 · 15 fps')
  expect(pictureSize(null)).toBe('–')
})
