/** A whole visit over fakes: what the tests of the SDK's upper half stand on. */
import { vi } from 'vitest'

import { Devices } from '../devices'
import { Interview } from '../interview'
import { LinkClient } from '../link'
import type { EventBody } from '../protocol'
import { FakeMediaDevices, FakeStream, TWO_DEVICES } from './fake_media'
import { FakePeerConnection } from './fake_peer_connection'
import { FakeServer, ROOM, type WELCOME } from './fake_server'

export let server: FakeServer
export let link: LinkClient
export let devices: Devices
export let media: FakeMediaDevices
export let interview: Interview
export const display = vi.fn()

export const tick = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)
export const pc = (): FakePeerConnection =>
  FakePeerConnection.made[FakePeerConnection.made.length - 1] as FakePeerConnection

/** Before each test of a visit; `afterVisit` after it. */
export async function beforeVisit(): Promise<void> {
  vi.useFakeTimers()
  vi.stubGlobal('MediaStream', FakeStream)
  vi.stubGlobal('AudioContext', undefined)
  vi.stubGlobal('isSecureContext', true)
  vi.stubGlobal('navigator', { mediaDevices: { getDisplayMedia: display } })
  vi.stubGlobal(
    'fetch',
    vi.fn(async (path: string) => {
      const body = path.endsWith('/redeem')
        ? { token: 'join' }
        : { state: 'open', role: 'candidate' }
      return new Response(JSON.stringify(body))
    }),
  )
  sessionStorage.clear()
  localStorage.clear()
  FakePeerConnection.made = []
  server = new FakeServer()
  media = new FakeMediaDevices(TWO_DEVICES)
  link = new LinkClient()
  devices = new Devices({
    video: 'phone',
    phone: false,
    renewsAfterInterruption: false,
    media: media as unknown as MediaDevices,
  })
  interview = new Interview({
    link,
    devices,
    openSocket: server.open,
    connection: {
      create: (configuration) =>
        new FakePeerConnection(configuration) as unknown as RTCPeerConnection,
      video: 'phone',
    },
  })
  seq = ROOM.seq
  await link.load('secret')
}

export async function afterVisit(): Promise<void> {
  await interview.leave()
  vi.useRealTimers()
}

export async function enter(welcome: Partial<typeof WELCOME> = {}): Promise<void> {
  await arrive(welcome)
  pc().become('connected')
}

/** Greeted by the server; media has yet to connect. */
export async function arrive(welcome: Partial<typeof WELCOME> = {}): Promise<void> {
  const joined = interview.join()
  await tick()
  server.greet({ server_time_ms: Date.now(), ...welcome })
  await joined
  await tick()
}

export const asInterviewer = {
  you: { participant: 'me', name: 'ME', role: 'interviewer' as const },
}

let seq = ROOM.seq
export function event(body: EventBody, room = ROOM.id, at_ms = Date.now()): void {
  server.socket.notice('event', { room, seq: ++seq, at_ms, body })
}

export async function reconnect(welcome: Partial<typeof WELCOME>): Promise<void> {
  server.socket.say('disconnect')
  await tick(1_000)
  server.greet({ resumed: true, media_kept: true, room: null, ...welcome })
  await tick()
}
