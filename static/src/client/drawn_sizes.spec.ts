import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { DrawnSizes } from './drawn_sizes'
import type { SlotSize, SlotView } from './protocol'

let told: SlotSize[][]
let answer: () => Promise<unknown>
let drawn: DrawnSizes

const slot = (mid: string, participant: string | null, source: SlotView['source']): SlotView => ({
  mid,
  participant,
  source,
  paused: false,
})
const ANN = slot('6', 'ann', 'camera')
const BEA = slot('7', 'bea', 'camera')
const size = (mid: string, width: number, height: number): SlotSize => ({
  slot: mid,
  width,
  height,
})

function look(hidden: boolean): void {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(hidden ? 'hidden' : 'visible')
  document.dispatchEvent(new Event('visibilitychange'))
}

beforeEach(() => {
  vi.useFakeTimers()
  told = []
  answer = () => Promise.resolve()
  drawn = new DrawnSizes((sizes) => {
    told.push(sizes)
    return answer()
  })
})

afterEach(() => {
  drawn.clear()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

test('a picture that is drawn for the first time is told at once, in whole pixels', () => {
  drawn.setSlots([slot('3', 'ann', 'microphone'), ANN])
  drawn.set('ann', 'camera', { width: 640.2, height: 360 })
  expect(told).toEqual([[size('6', 641, 360)]])
})

test('what shrinks is told when it has settled, what grows at once', () => {
  drawn.setSlots([ANN])
  drawn.set('ann', 'camera', { width: 800, height: 450 })
  vi.advanceTimersByTime(1_000)
  for (const width of [700, 600, 500]) drawn.set('ann', 'camera', { width, height: 300 })
  expect(told).toHaveLength(1)
  vi.advanceTimersByTime(200)
  expect(told[1]).toEqual([size('6', 500, 300)])
  vi.advanceTimersByTime(1_000)
  drawn.set('ann', 'camera', { width: 900, height: 500 })
  expect(told).toHaveLength(3)
})

test('a window dragged larger does not flood the server', () => {
  drawn.setSlots([ANN])
  for (let frame = 0; frame < 60; frame += 1) {
    drawn.set('ann', 'camera', { width: 300 + frame, height: 200 })
    vi.advanceTimersByTime(16)
  }
  vi.advanceTimersByTime(200)
  expect(told.length).toBeLessThanOrEqual(6)
  expect(told[told.length - 1]).toEqual([size('6', 359, 200)])
})

test('somebody who is not drawn costs nothing', () => {
  drawn.setSlots([ANN, BEA, slot('8', null, null)])
  drawn.set('bea', 'camera', { width: 100, height: 100 })
  expect(told).toEqual([[size('6', 0, 0), size('7', 100, 100)]])
})

test('a hidden page draws nothing, and says at once when it is seen again', () => {
  drawn.setSlots([ANN])
  drawn.set('ann', 'camera', { width: 640, height: 360 })
  look(true)
  vi.advanceTimersByTime(200)
  expect(told[1]).toEqual([size('6', 0, 0)])
  expect(drawn.isDrawn('ann', 'camera')).toBe(false)
  vi.advanceTimersByTime(1_000)
  look(false)
  expect(told[2]).toEqual([size('6', 640, 360)])
  expect(drawn.isDrawn('ann', 'camera')).toBe(true)
})

test('sizes follow the person into another slot; the same sizes are not told twice', () => {
  drawn.setSlots([ANN])
  drawn.set('ann', 'camera', { width: 640, height: 360 })
  vi.advanceTimersByTime(1_000)
  drawn.setSlots([slot('9', 'ann', 'camera')])
  expect(told[1]).toEqual([size('9', 640, 360)])
  drawn.set('ann', 'camera', { width: 640, height: 360 })
  vi.advanceTimersByTime(1_000)
  expect(told).toHaveLength(2)
})

test('a server that greets us again is told again; so is one that did not hear', async () => {
  drawn.setSlots([ANN])
  drawn.set('ann', 'camera', { width: 640, height: 360 })
  drawn.forget()
  expect(told).toHaveLength(2)
  vi.advanceTimersByTime(1_000)
  answer = () => Promise.reject(new Error('offline'))
  drawn.set('ann', 'camera', { width: 700, height: 400 })
  await vi.advanceTimersByTimeAsync(1_000)
  answer = () => Promise.resolve()
  drawn.setSlots([ANN])
  expect(told[told.length - 1]).toEqual([size('6', 700, 400)])
  expect(told).toHaveLength(4)
})

test('after the visit nothing is told any more', () => {
  drawn.setSlots([ANN])
  drawn.clear()
  vi.advanceTimersByTime(1_000)
  expect(told).toEqual([])
})
