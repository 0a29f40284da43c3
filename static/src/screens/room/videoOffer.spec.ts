import { beforeEach, expect, test } from 'vitest'

import type { Quality } from '../../client/types'
import { VideoOffer } from './videoOffer'

const GOOD: Quality = {
  level: 'good',
  cause: 'none',
  reason: 'none',
  affects: 'none',
  advice: 'none',
}
const DYING: Quality = {
  level: 'poor',
  cause: 'self',
  reason: 'bandwidth',
  affects: 'sending',
  advice: 'video_off',
}

let offer: VideoOffer
let nowMs: number

beforeEach(() => {
  offer = new VideoOffer()
  nowMs = 0
})

function second(quality: Quality, cameraOn: boolean): string {
  nowMs += 1_000
  return offer.take(quality, cameraOn, nowMs)
}
const seconds = (count: number, quality: Quality, cameraOn: boolean): string[] =>
  Array.from({ length: count }, () => second(quality, cameraOn))

test('a dying uplink: the camera off, and on again when the network has been good', () => {
  expect(second(GOOD, true)).toBe('none')
  expect(second(DYING, true)).toBe('off')
  offer.accepted()
  expect(second(DYING, false)).toBe('none')
  expect(new Set(seconds(10, GOOD, false))).toEqual(new Set(['none']))
  expect(second(GOOD, false)).toBe('on')
  offer.accepted()
  expect(second(GOOD, true)).toBe('none')
})

test('the offer stands while the advice wavers, until the worst is over', () => {
  second(DYING, true)
  expect(second({ ...DYING, advice: 'switch_network' }, true)).toBe('off')
  expect(second({ ...DYING, level: 'fair', advice: 'move_closer' }, true)).toBe('none')
  expect(second(GOOD, true)).toBe('none')
})

test('who said no is asked again only for another trouble', () => {
  second(DYING, true)
  offer.declined()
  expect(new Set(seconds(60, DYING, true))).toEqual(new Set(['none']))
  seconds(5, GOOD, true)
  expect(second(DYING, true)).toBe('none')
  seconds(11, GOOD, true)
  expect(second(DYING, true)).toBe('off')
})

test('a camera that the person switched off by choice is never offered to be on', () => {
  seconds(5, DYING, false)
  expect(new Set(seconds(60, GOOD, false))).toEqual(new Set(['none']))
})

test('who does not want the picture back is asked once', () => {
  second(DYING, true)
  offer.accepted()
  expect(seconds(11, GOOD, false)).toContain('on')
  offer.declined()
  expect(new Set(seconds(60, GOOD, false))).toEqual(new Set(['none']))
})
