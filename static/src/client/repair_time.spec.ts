import { expect, test } from 'vitest'

import { RepairTime } from './repair_time'

function seconds(
  time: RepairTime,
  count: number,
  lossDownRatio: number | null,
  rttMs: number | null = 100,
): number | null {
  for (let second = 0; second < count; second += 1) time.take({ lossDownRatio, rttMs })
  return time.targetMs
}

test('without losses the browser decides, and one bad second is an accident', () => {
  const time = new RepairTime()
  expect(seconds(time, 60, 0)).toBeNull()
  expect(seconds(time, 1, 0.05)).toBeNull()
  expect(seconds(time, 30, 0.01)).toBeNull()
})

test('losses that last are waited for, by the round trip, within what a talk bears', () => {
  expect(seconds(new RepairTime(), 5, 0.05)).toBe(300)
  expect(seconds(new RepairTime(), 9, 0.2)).toBe(400)
  expect(seconds(new RepairTime(), 5, 0.05, 20)).toBe(140)
  expect(seconds(new RepairTime(), 5, 0.05, 900)).toBe(500)
})

test('it goes back only after a calm while, and small changes of the path do not move it', () => {
  const time = new RepairTime()
  seconds(time, 5, 0.05)
  expect(seconds(time, 20, 0.05, 120)).toBe(300)
  expect(seconds(time, 20, 0.05, 140)).toBe(380)
  expect(seconds(time, 12, 0, 140)).toBe(380)
  expect(seconds(time, 8, 0, 140)).toBeNull()
})

test('what is not known changes nothing, and a change is told once', () => {
  const time = new RepairTime()
  expect(seconds(time, 9, null)).toBeNull()
  expect(seconds(time, 9, 0.1, null)).toBeNull()
  const told = Array.from({ length: 9 }, () => time.take({ lossDownRatio: 0.05, rttMs: 100 }))
  expect(told.filter(Boolean)).toHaveLength(1)
})
