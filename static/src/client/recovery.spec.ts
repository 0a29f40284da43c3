import { expect, test } from 'vitest'

import { Recovery } from './recovery'

test('a lost path restarts ICE at once, then every three seconds, then a new connection', () => {
  const recovery = new Recovery()
  recovery.begun(0)
  recovery.onState('connected', 500)
  const asked = [10_000, 11_000, 13_000, 14_000, 16_000, 19_000].map((nowMs) =>
    recovery.onState('disconnected', nowMs),
  )
  expect(asked).toEqual(['restart', 'none', 'restart', 'none', 'restart', 'rebuild'])
})

test('a path that came back starts the count anew', () => {
  const recovery = new Recovery()
  for (const nowMs of [10_000, 13_000, 16_000]) recovery.onState('failed', nowMs)
  recovery.onState('connected', 17_000)
  expect(recovery.onState('disconnected', 20_000)).toBe('restart')
})

test('a connection that does not come up is begun again', () => {
  const recovery = new Recovery()
  recovery.begun(1_000)
  expect(recovery.onState('connecting', 9_000)).toBe('none')
  expect(recovery.onState('connecting', 11_000)).toBe('rebuild')
})

test('a refused connection is not rebuilt in a frenzy', () => {
  const recovery = new Recovery()
  recovery.begun(0)
  expect(recovery.onState('closed', 1_000)).toBe('none')
  expect(recovery.onState('closed', 3_000)).toBe('rebuild')
})

test('after a socket loss: nothing if media lives, a restart if not, all anew if forgotten', () => {
  expect(new Recovery().onWelcome(true, 'connected', 0)).toBe('none')
  expect(new Recovery().onWelcome(true, 'disconnected', 0)).toBe('restart')
  expect(new Recovery().onWelcome(false, 'connected', 0)).toBe('rebuild')
  expect(new Recovery().onWelcome(true, 'closed', 0)).toBe('rebuild')
})

test('the server heard nothing: restart, and give up at fifteen seconds', () => {
  const recovery = new Recovery()
  expect(recovery.onSilence(2_000, 100_000)).toBe('restart')
  expect(recovery.onSilence(5_000, 103_000)).toBe('restart')
  expect(recovery.onSilence(15_000, 113_000)).toBe('rebuild')
})

test('another network restarts at once, whatever was tried a moment ago', () => {
  const recovery = new Recovery()
  expect(recovery.onState('disconnected', 50_000)).toBe('restart')
  expect(recovery.onNetworkChange(50_100)).toBe('restart')
})
