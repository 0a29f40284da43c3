import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { ProblemError } from './problem'
import { ReconnectingSocket, type Line } from './reconnecting'
import { FakeServer } from './testing/fake_server'

let server: FakeServer
let line: Line
const onRefused = vi.fn<(problem: ProblemError) => void>()
const onDown = vi.fn<() => void>()
let socket: ReconnectingSocket

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers()
  onRefused.mockReset()
  onDown.mockReset()
  server = new FakeServer()
  line = {
    credentials: vi.fn().mockResolvedValue({ token: 't' }),
    notices: { hello: vi.fn() },
    onDown,
    onRefused,
  }
  socket = new ReconnectingSocket(server.open, line)
})

afterEach(() => vi.useRealTimers())

test('a lost connection comes back for ever, with credentials asked anew each time', async () => {
  socket.open()
  await settle()
  server.socket.say('connect')
  server.socket.say('disconnect')
  expect(onDown).toHaveBeenCalledOnce()
  for (let attempt = 2; attempt < 12; attempt++) {
    await vi.advanceTimersByTimeAsync(10_000)
    expect(server.sockets).toHaveLength(attempt)
    server.socket.say('connect_error', new Error('websocket error'))
  }
  expect(line.credentials).toHaveBeenCalledTimes(11)
  await vi.advanceTimersByTimeAsync(10_000)
  server.socket.say('connect')
  expect(socket.up).toBe(true)
})

test('the waits grow: 0, 1, 2, 4 seconds', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  socket.open()
  await settle()
  const waits: number[] = []
  for (const expected of [150, 1000, 2000, 4000, 8000]) {
    server.socket.say('connect_error', new Error('no'))
    const before = server.sockets.length
    await vi.advanceTimersByTimeAsync(expected - 1)
    expect(server.sockets).toHaveLength(before)
    await vi.advanceTimersByTimeAsync(1)
    expect(server.sockets).toHaveLength(before + 1)
    waits.push(expected)
  }
  expect(waits).toHaveLength(5)
})

test('a refusal with a code is final, a busy node is not', async () => {
  socket.open()
  await settle()
  const refuse = (code: string): void =>
    server.socket.say('connect_error', Object.assign(new Error(code), { data: { code } }))
  refuse('busy')
  expect(onRefused).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1_000)
  refuse('room_full')
  expect(onRefused).toHaveBeenCalledOnce()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(server.sockets).toHaveLength(2)
})

test('credentials that cannot be had while offline are asked for again', async () => {
  vi.mocked(line.credentials)
    .mockRejectedValueOnce(new ProblemError('offline', ''))
    .mockRejectedValueOnce(new ProblemError('http_503', ''))
    .mockRejectedValueOnce(new ProblemError('link_expired', ''))
  socket.open()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(line.credentials).toHaveBeenCalledTimes(3)
  expect(onRefused.mock.calls[0]?.[0]).toMatchObject({ code: 'link_expired' })
  expect(server.sockets.every(({ closed, auth }) => closed && auth === null)).toBe(true)
})

test('retryNow skips the wait and never doubles a connection', async () => {
  socket.open()
  await settle()
  server.socket.say('connect_error', new Error('no'))
  await vi.advanceTimersByTimeAsync(400)
  server.socket.say('connect_error', new Error('no'))
  socket.retryNow()
  socket.retryNow()
  await settle()
  expect(server.sockets).toHaveLength(3)
  socket.retryNow()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(server.sockets).toHaveLength(3)
})

test('what an abandoned socket still says is not heard', async () => {
  socket.open()
  await settle()
  const old = server.socket
  old.say('connect')
  socket.renew()
  expect(old.closed).toBe(true)
  await vi.advanceTimersByTimeAsync(1_000)
  old.say('hello', {})
  old.say('disconnect')
  expect(line.notices.hello).not.toHaveBeenCalled()
  expect(onDown).toHaveBeenCalledOnce()
  server.socket.say('connect')
  server.socket.say('hello', {})
  expect(line.notices.hello).toHaveBeenCalledOnce()
})

test('closing ends it, even in the middle of an attempt', async () => {
  socket.open()
  socket.close()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(server.sockets.map(({ closed }) => closed)).toEqual([true])
})

test('commands tell data, refusals, silence and a missing line apart', async () => {
  await expect(socket.command('x', {})).rejects.toMatchObject({ code: 'offline' })
  socket.open()
  await settle()
  server.socket.say('connect')
  server.answers = {
    good: () => ({ id: 'a' }),
    bad: () => {
      throw { code: 'not_permitted', message: 'no' }
    },
    odd: () => {
      throw 'nonsense'
    },
  }
  await expect(socket.command('good', {})).resolves.toEqual({ id: 'a' })
  await expect(socket.command('bad', {})).rejects.toMatchObject({ code: 'not_permitted' })
  await expect(socket.command('odd', {})).rejects.toMatchObject({ code: 'malformed_answer' })
  const silent = expect(socket.command('silent', {}, 500)).rejects.toMatchObject({
    code: 'timeout',
  })
  await vi.advanceTimersByTimeAsync(500)
  await silent
})
