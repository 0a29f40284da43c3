import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { HrClient } from './hr'
import type { HrInterview } from './protocol'
import { FakeServer } from './testing/fake_server'

const fetched = vi.fn<typeof fetch>()
let server: FakeServer
let hr: HrClient

const INTERVIEW: HrInterview = {
  id: 'i1',
  title: '面试',
  starts_at: 's',
  ends_at: 'e',
  quality: null,
  rounds: [],
  participants: [],
}
const answer = (status: number, body?: unknown): void => {
  fetched.mockResolvedValueOnce(
    new Response(body === undefined ? null : JSON.stringify(body), { status }),
  )
}

beforeEach(() => {
  vi.useFakeTimers()
  fetched.mockReset()
  vi.stubGlobal('fetch', fetched)
  server = new FakeServer()
  hr = new HrClient(server.open)
})
afterEach(() => {
  hr.close()
  vi.useRealTimers()
})

async function signIn(): Promise<void> {
  answer(200, { token: null })
  await hr.open('secret')
  server.socket.say('connect')
  server.socket.say('interviews', { interviews: [INTERVIEW] })
}

test('the link signs in, the list comes and follows', async () => {
  await signIn()
  expect(fetched.mock.calls[0]?.[0]).toBe('/api/links/secret/redeem')
  expect(hr.state).toMatchObject({ state: 'live', interviews: [INTERVIEW] })
  server.socket.say('interview', { interview: { ...INTERVIEW, title: 'new' } })
  server.socket.say('interview', { interview: { ...INTERVIEW, id: 'i2' } })
  expect(hr.state.interviews.map(({ id, title }) => [id, title])).toEqual([
    ['i2', '面试'],
    ['i1', 'new'],
  ])
})

test('a lost list says so and comes back', async () => {
  await signIn()
  server.socket.say('disconnect')
  expect(hr.state).toMatchObject({ state: 'offline', interviews: [INTERVIEW] })
  await vi.advanceTimersByTimeAsync(1_000)
  server.socket.say('connect')
  server.socket.say('interviews', { interviews: [] })
  expect(hr.state).toMatchObject({ state: 'live', interviews: [] })
})

test('without a link the cookie speaks; a missing one means signed out', async () => {
  answer(401, { error: { code: 'unauthenticated', message: '' } })
  expect(await hr.open()).toBe(false)
  expect(hr.state.state).toBe('signed_out')
  answer(403, { error: { code: 'link_expired', message: '' } })
  expect(await hr.open('old')).toBe(false)
  expect(hr.state.state).toBe('signed_out')
  expect(server.sockets).toHaveLength(0)
})

test('a session that ended while the list was away is not asked for ever', async () => {
  await signIn()
  server.socket.say('disconnect')
  await vi.advanceTimersByTimeAsync(1_000)
  const refusal = Object.assign(new Error(), { data: { code: 'token_invalid' } })
  server.socket.say('connect_error', refusal)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(hr.state.state).toBe('signed_out')
  expect(server.sockets).toHaveLength(2)
})

test('links, devices and interviews: paths are escaped, refusals are told', async () => {
  answer(201, { link: 'http://h/i/x', participant: 'p' })
  expect(await hr.newLink('a/b', 'p?')).toBe('http://h/i/x')
  expect(fetched.mock.calls[0]?.[0]).toBe('/api/interviews/a%2Fb/participants/p%3F/link')
  answer(204)
  expect(await hr.release('i1', 'p1')).toBe(true)
  answer(404, { error: { code: 'not_found', message: 'm', remedy: '' } })
  expect(await hr.release('i1', 'p9')).toBe(false)
  expect(hr.state.error?.code).toBe('not_found')
  const people = [{ id: 'p', name: 'n', role: 'candidate', link: 'http://h/i/y', bound: false }]
  answer(201, { ...INTERVIEW, participants: people })
  const made = await hr.createInterview({
    title: 't',
    starts_at: 's',
    ends_at: 'e',
    rounds: [],
    participants: [],
  })
  expect(made).toEqual({
    id: 'i1',
    participants: [{ id: 'p', name: 'n', role: 'candidate', link: 'http://h/i/y' }],
  })
})
