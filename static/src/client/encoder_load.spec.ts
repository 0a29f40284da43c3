import { expect, test } from 'vitest'

import { EncoderLoad } from './encoder_load'

function seconds(load: EncoderLoad, count: number, busy: boolean): number {
  for (let second = 0; second < count; second += 1) load.take(busy)
  return load.layers
}

test('a machine that keeps up sends every layer', () => {
  expect(seconds(new EncoderLoad(), 600, false)).toBe(3)
})

test('a short strain sheds nothing, one that lasts sheds layer by layer down to one', () => {
  const load = new EncoderLoad()
  expect(seconds(load, 7, true)).toBe(3)
  expect(seconds(load, 5, false)).toBe(3)
  expect(seconds(load, 7, true)).toBe(3)
  expect(seconds(load, 1, true)).toBe(2)
  expect(seconds(load, 100, true)).toBe(1)
})

test('after a calm minute one more layer is tried, and in vain ever more rarely', () => {
  const load = new EncoderLoad()
  seconds(load, 8, true)
  expect(seconds(load, 59, false)).toBe(2)
  expect(seconds(load, 1, false)).toBe(3)
  expect(seconds(load, 8, true)).toBe(2)
  expect(seconds(load, 119, false)).toBe(2)
  expect(seconds(load, 1, false)).toBe(3)
})

test('says when it changed, and only then', () => {
  const load = new EncoderLoad()
  const changes = Array.from({ length: 20 }, () => load.take(true))
  expect(changes.filter(Boolean)).toHaveLength(2)
})
