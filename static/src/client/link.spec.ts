import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { LinkClient } from './link'

const fetched = vi.fn<typeof fetch>()
const INFO = {
  role: 'candidate',
  title: '面试',
  round: '初面',
  starts_at: 's',
  ends_at: 'e',
  hr_contact: { name: '', phone: '' },
}

const answer = (status: number, body: unknown): void => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  fetched.mockResolvedValueOnce(new Response(text, { status }))
}
const refuse = (status: number, code: string): void =>
  answer(status, { error: { code, message: 'm', remedy: 'r' } })

beforeEach(() => {
  fetched.mockReset()
  vi.stubGlobal('fetch', fetched)
})
afterEach(() => vi.useRealTimers())

test('looking at a link says what it is for and asks once', async () => {
  answer(200, { ...INFO, state: 'open' })
  const link = new LinkClient()
  expect(await link.load('a/b')).toBe('open')
  expect(link.state.info).toEqual(INFO)
  expect(fetched.mock.calls[0]?.[0]).toBe('/api/links/a%2Fb')
})

test.each(['early', 'expired', 'revoked', 'ended', 'other_device'])(
  'a link that is %s still says its title',
  async (state) => {
    answer(200, { ...INFO, state })
    const link = new LinkClient()
    await link.load('x')
    expect(link.state).toMatchObject({ state, info: { title: '面试' } })
  },
)

test("a forged link is unknown, an unreachable or broken server is not the link's fault", async () => {
  const link = new LinkClient()
  refuse(404, 'link_unknown')
  expect(await link.load('x')).toBe('unknown')
  answer(404, '<html>nothing here</html>')
  expect(await link.load('x')).toBe('unknown')
  fetched.mockRejectedValueOnce(new TypeError('Failed to fetch'))
  expect(await link.load('x')).toBe('offline')
  answer(200, '<html>a captive portal</html>')
  expect(await link.load('x')).toBe('offline')
  refuse(429, 'rate_limited')
  expect(await link.load('x')).toBe('offline')
})

test('a late answer about another link is ignored', async () => {
  let late: (response: Response) => void = () => undefined
  fetched.mockReturnValueOnce(new Promise((resolve) => (late = resolve)))
  const link = new LinkClient()
  const first = link.load('old')
  answer(200, { ...INFO, title: 'new', state: 'open' })
  await link.load('new')
  late(new Response(JSON.stringify({ ...INFO, title: 'old', state: 'expired' })))
  await first
  expect(link.state).toMatchObject({ state: 'open', info: { title: 'new' } })
})

test('a refused redemption is thrown and shows on the link', async () => {
  answer(200, { ...INFO, state: 'open' })
  const link = new LinkClient()
  await link.load('x')
  refuse(403, 'link_other_device')
  await expect(link.redeem()).rejects.toMatchObject({ code: 'link_other_device', remedy: 'r' })
  expect(link.state.state).toBe('other_device')
  fetched.mockResolvedValueOnce(new Response(null, { status: 204 }))
  expect(await link.ask()).toBe(true)
  expect(link.state.asked).toBe(true)
})

test('a silent server is given up', async () => {
  vi.useFakeTimers()
  fetched.mockImplementationOnce(
    (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new DOMException('', 'AbortError')))
      }),
  )
  const redeemed = expect(new LinkClient().redeem()).rejects.toMatchObject({ code: 'timeout' })
  await vi.advanceTimersByTimeAsync(10_000)
  await redeemed
})
