import { expect, test } from 'vitest'

import { meterLevel } from './level'

const tone = (amplitude: number): Float32Array =>
  Float32Array.from({ length: 1024 }, (_, index) => amplitude * Math.sin(index / 5))

test('silence is nothing, full scale is nearly everything', () => {
  expect(meterLevel(new Float32Array(1024))).toBe(0)
  expect(meterLevel(new Float32Array(0))).toBe(0)
  expect(meterLevel(tone(1))).toBeGreaterThan(0.9)
})

test('twice as loud is a step of six decibels, however loud', () => {
  const steps = [0.02, 0.04, 0.08].map((amplitude) => meterLevel(tone(amplitude)))
  const [quiet, louder, loudest] = steps as [number, number, number]
  expect(louder - quiet).toBeCloseTo(6.02 / 50, 2)
  expect(loudest - louder).toBeCloseTo(6.02 / 50, 2)
})
