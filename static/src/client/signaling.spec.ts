import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { ProblemError } from './problem'
import { Signaling } from './signaling'
import { FakeServer, ROOM, WELCOME } from './testing/fake_server'

let server: FakeServer
let signaling: Signaling
const joinToken = vi.fn<() => Promise<string>>()
const onRefused = vi.fn<(problem: ProblemError) => void>()
const onNotice = vi.fn()

beforeEach(async () => {
  vi.useFakeTimers()
  for (const mock of [joinToken, onRefused, onNotice]) mock.mockReset()
  joinToken.mockResolvedValueOnce('join-1').mockResolvedValueOnce('join-2')
  server = new FakeServer()
  signaling = new Signaling(server.open, { joinToken, onNotice, onDown: vi.fn(), onRefused })
  signaling.open()
  await vi.advanceTimersByTimeAsync(0)
})
afterEach(() => {
  signaling.close()
  vi.useRealTimers()
})

async function reconnect(): Promise<void> {
  server.socket.say('disconnect')
  await vi.advanceTimersByTimeAsync(1_000)
}

const refuse = async (code: string): Promise<void> => {
  server.socket.say('connect_error', Object.assign(new Error(), { data: { code } }))
  await vi.advanceTimersByTimeAsync(1_000)
}

test('first the join token, then the resume token with the last event seen', async () => {
  expect(server.socket.auth).toEqual({ token: 'join-1' })
  server.greet()
  const body = { type: 'screen.changed', participant: null } as const
  server.socket.notice('event', { room: ROOM.id, seq: 17, at_ms: 0, body })
  await reconnect()
  expect(server.socket.auth).toEqual({ resume: 'resume-1', room: ROOM.id, seq: 17 })
  expect(joinToken).toHaveBeenCalledOnce()
})

test('a rotated resume token replaces the one before', async () => {
  server.greet()
  server.socket.notice('resume', { resume: 'resume-2' })
  await reconnect()
  expect(server.socket.auth).toMatchObject({ resume: 'resume-2' })
})

test('a greeting without a room keeps the place in the events', async () => {
  server.greet()
  await reconnect()
  server.greet({ room: null, resumed: true, resume: 'resume-3' })
  await reconnect()
  expect(server.socket.auth).toEqual({ resume: 'resume-3', room: ROOM.id, seq: ROOM.seq })
})

test('being moved begins a new count', async () => {
  server.greet()
  const room = { ...ROOM, id: 'room-2', seq: 3 }
  server.socket.notice('place', { reason: 'handed_over', placement: 'lobby', room })
  await reconnect()
  expect(server.socket.auth).toMatchObject({ room: 'room-2', seq: 3 })
})

test.each(['token_invalid', 'token_expired', 'token_used'])(
  'a resume token refused with %s: the link is asked again, once',
  async (code) => {
    server.greet()
    await reconnect()
    await refuse(code)
    expect(server.socket.auth).toEqual({ token: 'join-2' })
    expect(onRefused).not.toHaveBeenCalled()
    await refuse(code)
    expect(onRefused).toHaveBeenCalledOnce()
  },
)

test('withdrawn access is final', async () => {
  server.greet()
  await reconnect()
  await refuse('token_revoked')
  expect(onRefused.mock.calls[0]?.[0]).toMatchObject({ code: 'token_revoked' })
  expect(joinToken).toHaveBeenCalledOnce()
})

test('every message of the protocol reaches the owner', () => {
  server.greet()
  server.socket.notice('media.lost', { silent_ms: 2000 })
  server.socket.notice('speaking', { participant: 'ann', speaking: true })
  expect(onNotice.mock.calls).toEqual([
    ['welcome', WELCOME],
    ['media.lost', { silent_ms: 2000 }],
    ['speaking', { participant: 'ann', speaking: true }],
  ])
})
