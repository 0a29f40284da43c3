import { beforeEach, expect, test } from 'vitest'

import { PictureWatch, type SlotState } from './pictures'
import { picture } from './testing/path_samples'

let watch: PictureWatch
const ANN = { mid: '6', shows: 'ann:camera', due: true }
const state = (): SlotState => watch.state('6', 'ann:camera')

function seconds(count: number, frames: number, due = true): SlotState[] {
  return Array.from({ length: count }, () => {
    watch.take([picture('6', frames)], [{ ...ANN, due }])
    return state()
  })
}

beforeEach(() => {
  watch = new PictureWatch()
})

test('a picture starts, and lives from its first frame on', () => {
  expect(state()).toBe('starting')
  expect(seconds(2, 0)).toEqual(['starting', 'starting'])
  expect(seconds(1, 3)).toEqual(['live'])
  expect(watch.size('6', 'ann:camera')).toEqual({ width: 1280, height: 720, fps: 3 })
})

test('a freeze is seen through; three still seconds are a pause, and two moving ones end it', () => {
  seconds(1, 24)
  expect(seconds(2, 0)).toEqual(['live', 'live'])
  expect(seconds(1, 5)).toEqual(['live'])
  expect(seconds(3, 0)).toEqual(['live', 'live', 'paused'])
  expect(seconds(1, 1)).toEqual(['paused'])
  expect(seconds(1, 0)).toEqual(['paused'])
  expect(seconds(2, 12)).toEqual(['paused', 'live'])
})

test('one frame a second is slow, but it is a picture', () => {
  expect(new Set(seconds(30, 1))).toEqual(new Set(['live']))
})

test('a first picture that never comes is a pause in the end', () => {
  for (let second = 0; second < 5; second += 1) watch.take([], [ANN])
  expect(state()).toBe('starting')
  watch.take([], [ANN])
  expect(state()).toBe('paused')
})

test('nobody looks, or the camera is off: standing still means nothing', () => {
  seconds(1, 24)
  expect(new Set(seconds(20, 0, false))).toEqual(new Set(['live']))
  expect(seconds(2, 0)).toEqual(['live', 'live'])
})

test('another person in the slot begins anew', () => {
  seconds(1, 24)
  watch.take([picture('6', 0)], [{ mid: '6', shows: 'bea:camera', due: true }])
  expect(watch.state('6', 'bea:camera')).toBe('starting')
  expect(state()).toBe('starting')
  watch.take([], [])
  expect(watch.size('6', 'bea:camera')).toBeNull()
})

test('a browser that does not tell slots apart is never said to have paused', () => {
  for (let second = 0; second < 20; second += 1) watch.take(null, [ANN])
  expect(state()).toBe('starting')
})

test('a stillness counts from the first frame on, while somebody looks', () => {
  const frozenMs = (frames: number, due: boolean): number | undefined =>
    watch.take([picture('6', frames, { freezes: 1, frozenMs: 700 })], [{ ...ANN, due }])?.[0]
      ?.frozenMs
  expect(frozenMs(24, true)).toBe(0) // the browser counts the wait for the first frame
  expect(frozenMs(10, true)).toBe(700)
  expect(frozenMs(0, false)).toBe(0)
  expect(frozenMs(5, true)).toBe(0) // it counts the time that nobody looked
  expect(frozenMs(5, true)).toBe(700)
})

test('a slot that shows nobody counts for nothing', () => {
  seconds(2, 24)
  const [sample] = watch.take([picture('6', 0, { freezes: 2, frozenMs: 900 })], []) ?? []
  expect(sample).toMatchObject({ freezes: 0, frozenMs: 0 })
})
