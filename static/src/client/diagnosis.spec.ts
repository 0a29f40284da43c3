import { beforeEach, expect, test } from 'vitest'

import { Diagnosis, blame, type Means } from './diagnosis'
import type { QualityChanged } from './protocol'
import { GOOD } from './quality'
import type { Quality, Verdict } from './types'

const MEANS: Means = { saving: false, cameraOn: true }
const NO_FACTS: QualityChanged['facts'] = {
  rtt_ms: null,
  loss_up_ratio: null,
  loss_down_ratio: null,
  jitter_ms: null,
  up_bps: null,
  down_bps: null,
  estimate_bps: null,
  sent_height: null,
  shown_height: null,
  freeze_ratio: null,
  concealed_ratio: null,
  video_paused: false,
}

const verdict = (patch: Partial<Verdict>): Verdict => ({
  level: 'poor',
  cause: 'self',
  reason: 'loss',
  affects: 'sending',
  ...patch,
})
const word = (patch: Partial<QualityChanged>): QualityChanged => ({
  participant: 'me',
  grade: 'poor',
  cause: 'self',
  reason: 'loss',
  affects: 'sending',
  facts: NO_FACTS,
  ...patch,
})

let diagnosis: Diagnosis
const own = (measured: Verdict, atMs = 0, means = MEANS): Quality =>
  diagnosis.own(measured, 'me', means, atMs)

beforeEach(() => {
  diagnosis = new Diagnosis()
})

test('the worse of both views counts', () => {
  expect(own(GOOD)).toEqual({ ...GOOD, advice: 'none' })
  diagnosis.hear(word({ grade: 'fair' }), 0)
  expect(own(GOOD).level).toBe('fair')
  expect(own(verdict({ level: 'poor', reason: 'delay' }))).toMatchObject({
    level: 'poor',
    reason: 'delay',
  })
})

test('the server says when it is at fault itself: there is nothing for the person to do', () => {
  const overload = { cause: 'server', reason: 'overload', affects: 'both' } as const
  diagnosis.hear(word({ grade: 'poor', ...overload }), 0)
  const blamed = { level: 'poor', ...overload, advice: 'wait' }
  expect(own(GOOD)).toEqual(blamed)
  expect(own(verdict({}))).toEqual(blamed)
})

test('a path that is gone is gone, whatever the server said before', () => {
  diagnosis.hear(word({ grade: 'good', cause: 'none' }), 0)
  expect(own(verdict({ level: 'lost', reason: 'offline' })).level).toBe('lost')
})

test('a loss that we have not seen for a while is over, though the server has not said so', () => {
  diagnosis.hear(word({}), 0)
  expect([0, 4_000, 7_000].map((atMs) => own(GOOD, atMs).level)).toEqual(['poor', 'poor', 'poor'])
  expect(own(GOOD, 8_000).level).toBe('good')
  expect(own(verdict({ level: 'fair' }), 9_000).level).toBe('poor')
})

test('a narrow way that is left does not keep an old loss alive', () => {
  diagnosis.hear(word({}), 0)
  const narrow = verdict({ level: 'fair', reason: 'bandwidth' })
  expect(own(narrow, 0)).toMatchObject({ level: 'poor', reason: 'loss' })
  expect(own(narrow, 8_000)).toMatchObject({ level: 'fair', reason: 'bandwidth' })
})

test('gaps in what comes are ours only if the server, once it knows, blames nobody else', () => {
  const gaps = verdict({ affects: 'receiving' })
  expect([0, 3_000, 5_000].map((atMs) => own(gaps, atMs).level)).toEqual(['good', 'good', 'good'])
  expect(own(gaps, 6_000)).toMatchObject({ level: 'poor', cause: 'self' })
  diagnosis.hear(word({ participant: 'ann', cause: 'peer', affects: 'both' }), 7_000)
  expect(own(gaps, 8_000).level).toBe('good')
  diagnosis.hear(word({ affects: 'receiving' }), 9_000)
  expect(own(gaps, 9_000)).toMatchObject({ level: 'poor', cause: 'self' })
})

test('what only the server can see counts for as long as it says so', () => {
  diagnosis.hear(word({ reason: 'bandwidth', affects: 'receiving' }), 0)
  own(GOOD, 0)
  expect(own(GOOD, 20_000).level).toBe('poor')
})

test('what the server has not repeated is over, and a new greeting begins anew', () => {
  diagnosis.hear(word({}), 0)
  expect(own(verdict({ level: 'fair' }), 24_000).level).toBe('poor')
  expect(own(GOOD, 26_000).level).toBe('good')
  diagnosis.hear(word({}), 30_000)
  diagnosis.forget()
  expect(own(GOOD, 30_000).level).toBe('good')
})

test.each<[string, Partial<Verdict>, Partial<Means>, number, string]>([
  ['a little loss', { level: 'fair' }, {}, 0, 'move_closer'],
  ['a narrow way', { level: 'fair', reason: 'bandwidth' }, {}, 0, 'data_saver'],
  [
    'narrow though it saves',
    { level: 'fair', reason: 'bandwidth' },
    { saving: true },
    0,
    'move_closer',
  ],
  ['a busy machine', { level: 'fair', reason: 'cpu' }, {}, 0, 'close_apps'],
  ['much loss', {}, {}, 0, 'switch_network'],
  ['much loss that lasts', {}, {}, 6_000, 'video_off'],
  ['a voice alone', {}, { cameraOn: false }, 6_000, 'switch_network'],
  ['loss on the way down', { affects: 'receiving' }, {}, 6_000, 'switch_network'],
  ['hardly any room', { reason: 'bandwidth' }, {}, 0, 'data_saver'],
  ['hardly any room that lasts', { reason: 'bandwidth' }, {}, 6_000, 'video_off'],
  ['long delay', { reason: 'delay', affects: 'both' }, {}, 6_000, 'switch_network'],
  ['poor for long', {}, { cameraOn: false }, 30_000, 'call_hr'],
  ['away', { level: 'lost', reason: 'offline' }, {}, 0, 'switch_network'],
  ['away for a while', { level: 'lost', reason: 'offline' }, {}, 12_000, 'refresh'],
  ['away for long', { level: 'lost', reason: 'offline' }, {}, 30_000, 'call_hr'],
])('%s: %o, %o, for %s ms: %s', (_, patch, means, afterMs, advice) => {
  own(verdict(patch), 0)
  expect(own(verdict(patch), afterMs, { ...MEANS, ...means }).advice).toBe(advice)
})

test('a good moment begins the count anew', () => {
  own(verdict({}), 0)
  own(GOOD, 20_000)
  own(verdict({}), 21_000)
  expect(own(verdict({}), 40_000).advice).toBe('video_off')
  expect(own(verdict({}), 51_000).advice).toBe('call_hr')
})

test('of another: what the server told, as long as the room says the same', () => {
  const told = word({ participant: 'ann', cause: 'peer', reason: 'bandwidth' })
  diagnosis.hear(told, 0)
  expect(diagnosis.peer('ann', 'poor', 0)).toMatchObject({ cause: 'peer', reason: 'bandwidth' })
  expect(diagnosis.peer('ann', 'good', 0)).toMatchObject({ level: 'good', cause: 'none' })
  expect(diagnosis.peer('bea', 'fair', 0)).toMatchObject({ level: 'fair', cause: 'peer' })
})

const RECEIVES = verdict({ affects: 'receiving' })
const SENDS = verdict({ cause: 'peer', affects: 'sending' })

test.each<[string, Verdict, Verdict, string]>([
  ['nobody in trouble', GOOD, GOOD, 'none'],
  ['I receive badly', RECEIVES, GOOD, 'self'],
  ['they send badly', GOOD, SENDS, 'peer'],
  ['I send badly, which keeps nothing from me', verdict({}), GOOD, 'none'],
  [
    'they receive badly, which keeps nothing from me',
    GOOD,
    { ...SENDS, affects: 'receiving' },
    'none',
  ],
  ['both, mine worse', { ...RECEIVES, level: 'lost' }, SENDS, 'self'],
  ['both, equally', RECEIVES, SENDS, 'peer'],
  ['the server', GOOD, { ...SENDS, cause: 'server' }, 'server'],
])('whose fault is a picture that does not come: %s', (_, mine, theirs, who) => {
  expect(blame(mine, theirs)).toBe(who)
})
