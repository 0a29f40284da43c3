import { expect, test } from 'vitest'

import { ChatLog } from './chat'
import type { ChatView } from './protocol'

const line = (id: string, participant = 'ann'): ChatView => ({
  id,
  participant,
  name: 'ANN',
  text: id,
  at_ms: 1,
})

test("an acknowledged line gives way to the room's own, whichever comes first", () => {
  const log = new ChatLog()
  const key = log.begin('hi', 5)
  expect(log.lines([], 'me', 'ME')).toMatchObject([{ text: 'hi', at_ms: 5, state: 'sending' }])
  log.accepted(key, 'line-1')
  expect(log.lines([line('line-1', 'me')], 'me', 'ME')).toMatchObject([
    { id: 'line-1', mine: true, state: 'sent' },
  ])
})

test('two equal lines are two lines, with keys of their own', () => {
  const log = new ChatLog()
  expect(log.begin('hi', 1)).not.toBe(log.begin('hi', 2))
  expect(log.lines([], 'me', 'ME')).toHaveLength(2)
})

test('only what was never answered is sent again', () => {
  const log = new ChatLog()
  log.accepted(log.begin('a', 1), 'line-1')
  log.failed(log.begin('b', 2))
  const key = log.begin('c', 3)
  expect(log.unsent()).toMatchObject([{ key, text: 'c' }])
})

test("keys fit the protocol's pattern for ids", () => {
  expect(new ChatLog().begin('x', 1)).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
})

test('lines that the room no longer lists do not make everything unread by mistake', () => {
  const log = new ChatLog()
  log.arrive([line('a'), line('b')])
  expect(log.unread([line('a'), line('b')], 'me')).toBe(0)
  expect(log.unread([line('a'), line('b'), line('c')], 'me')).toBe(1)
})
