import { expect, test } from 'vitest'

import { retryDelayMs } from './backoff'

const middle = (): number => 0.5

test('the first attempt comes at once, later ones double up to a limit', () => {
  expect(retryDelayMs(0, () => 0)).toBe(0)
  expect([1, 2, 3, 4, 5, 50].map((attempt) => retryDelayMs(attempt, middle))).toEqual([
    1000, 2000, 4000, 8000, 8000, 8000,
  ])
})

test('clients that lost the same server do not come back in the same instant', () => {
  expect(retryDelayMs(0, () => 0.99)).toBeGreaterThan(250)
  expect(retryDelayMs(2, () => 0)).toBe(1600)
  expect(retryDelayMs(2, () => 0.999)).toBeLessThanOrEqual(2400)
})
