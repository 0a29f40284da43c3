import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { rememberVisit, rememberedVisit } from './memory'
import { SHOWN_MS } from './reactions'
import { FakePeerConnection } from './testing/fake_peer_connection'
import { ROOM, person } from './testing/fake_server'
import {
  afterVisit,
  asInterviewer,
  beforeVisit,
  devices,
  display,
  enter,
  event,
  interview,
  link,
  media,
  pc,
  reconnect,
  server,
  tick,
} from './testing/visit_rig'

beforeEach(beforeVisit)
afterEach(afterVisit)

test('one tap: devices asked, link redeemed, one offer, in the room', async () => {
  await enter()
  expect(interview.state).toMatchObject({ phase: 'room', error: null, me: { participant: 'me' } })
  expect(media.asked).toHaveLength(1)
  expect(FakePeerConnection.made).toHaveLength(1)
  expect(server.socket.bodies('media.offer')).toHaveLength(1)
  expect(
    pc()
      .getTransceivers()
      .slice(0, 3)
      .map(({ sender }) => sender.track?.kind),
  ).toEqual(['audio', 'video', undefined])
  const told = server.socket.bodies('media.state')
  expect(told[told.length - 1]).toEqual({ microphone: true, camera: true })
})

test('a second tap while joining does nothing', async () => {
  const first = interview.join()
  expect(await interview.join()).toBe(false)
  await tick()
  server.greet()
  expect(await first).toBe(true)
  expect(server.sockets).toHaveLength(1)
})

test('a candidate without a camera is let in all the same', async () => {
  media.devices = []
  await enter()
  expect(interview.state.phase).toBe('room')
  expect(devices.state.problem?.code).toBe('missing')
})

test('lobby, admission, hand-over: the same connection, the same camera', async () => {
  await enter({ room: { ...ROOM, placement: 'lobby', participants: [person('me')] } })
  expect(interview.state).toMatchObject({ phase: 'lobby', tiles: [] })
  server.socket.notice('place', { reason: 'admitted', placement: 'room', room: ROOM })
  expect(interview.state).toMatchObject({ phase: 'room', arrival: 'admitted' })
  expect(interview.state.tiles.map(({ participant }) => participant.id)).toEqual(['ann'])
  const next = { ...ROOM, id: 'room-2', participants: [person('me'), person('bea')], seq: 2 }
  server.socket.notice('slots', {
    slots: [{ mid: '6', participant: 'bea', source: 'camera', paused: false }],
  })
  server.socket.notice('place', { reason: 'handed_over', placement: 'room', room: next })
  const [tile] = interview.state.tiles
  expect(tile?.participant.id).toBe('bea')
  expect(tile?.stream.getTracks()).toEqual([pc().getTransceivers()[6]?.receiver.track])
  expect(server.socket.bodies('media.offer')).toHaveLength(1)
  expect(FakePeerConnection.made).toHaveLength(1)
  expect(media.asked).toHaveLength(1)
})

test('the socket comes back by itself, and living media is left alone', async () => {
  await enter()
  server.socket.say('disconnect')
  expect(interview.state.phase).toBe('reconnecting')
  expect(interview.state.tiles).toHaveLength(1)
  await tick(1_000)
  server.greet({ resumed: true, media_kept: true, room: null })
  expect(interview.state).toMatchObject({ phase: 'room', reconnectingSinceMs: null })
  event({ type: 'participant.left', participant: 'ann', reason: 'left', to_round: null })
  expect(interview.state.tiles).toEqual([])
  expect(server.socket.bodies('media.offer')).toHaveLength(0)
})

test('a path lost meanwhile is restarted, a forgotten one is built anew', async () => {
  await enter()
  server.socket.say('disconnect')
  pc().become('disconnected')
  await tick(1_000)
  server.greet({ resumed: true, media_kept: true, room: null })
  await tick()
  expect(server.socket.bodies('media.offer')).toHaveLength(1)
  expect(pc().offers[pc().offers.length - 1]).toEqual({ iceRestart: true })
  expect(FakePeerConnection.made).toHaveLength(1)
  await reconnect({ media_kept: false })
  expect(FakePeerConnection.made).toHaveLength(2)
  expect(pc().getTransceivers()[0]?.sender.track).not.toBeNull()
})

test('the server hears nothing: ICE restarts; it forgot us: a new connection', async () => {
  await enter()
  await tick(5_000)
  server.socket.notice('media.lost', { silent_ms: 2_000 })
  await tick()
  expect(server.socket.bodies('media.offer')).toHaveLength(2)
  server.answers['media.offer'] = () => {
    throw { code: 'media_missing', message: '' }
  }
  server.socket.notice('media.lost', { silent_ms: 5_000 })
  await tick(3_000)
  server.socket.notice('media.lost', { silent_ms: 5_000 })
  await tick()
  server.answers['media.offer'] = () => ({ sdp: 'answer' })
  await tick(6_000)
  expect(FakePeerConnection.made.length).toBeGreaterThan(1)
  expect(pc().remoteDescription).not.toBeNull()
})

test('a server that refuses every offer is not asked in a frenzy', async () => {
  server.answers['media.offer'] = () => {
    throw { code: 'sdp_invalid', message: '' }
  }
  await enter()
  pc().close()
  await tick(60_000)
  expect(server.socket.bodies('media.offer').length).toBeLessThanOrEqual(21)
})

test('a room that outgrows the slots is offered more', async () => {
  await enter()
  server.socket.notice('media.more_slots', { audio: 6, video: 7 })
  await tick()
  const slots = pc()
    .getTransceivers()
    .filter(({ direction }) => direction === 'recvonly')
  expect(slots).toHaveLength(13)
  expect(server.socket.bodies('media.offer')).toHaveLength(2)
})

test.each([
  ['ended', 'ended'],
  ['removed', 'removed'],
  ['replaced', 'replaced'],
  ['left', 'left'],
  ['revoked', 'failed'],
] as const)('goodbye %s: phase %s, nothing left running', async (reason, phase) => {
  await enter()
  server.socket.notice('goodbye', { reason })
  expect(interview.state.phase).toBe(phase)
  expect(pc().signalingState).toBe('closed')
  expect(devices.state.stream).toBeNull()
  expect(media.opened.every(({ readyState }) => readyState === 'ended')).toBe(true)
  await tick(60_000)
  expect(server.sockets).toHaveLength(1)
})

test('a stopping node is no end: another connection is made', async () => {
  await enter()
  server.socket.notice('goodbye', { reason: 'shutdown' })
  await reconnect({})
  expect(interview.state.phase).toBe('room')
})

test("a link that is refused at the tap shows as the link's state", async () => {
  vi.mocked(fetch).mockResolvedValueOnce(
    new Response(JSON.stringify({ error: { code: 'link_expired', message: '' } }), { status: 403 }),
  )
  expect(await interview.join()).toBe(false)
  expect(interview.state.phase).toBe('check')
  expect(link.state.state).toBe('expired')
})

test('a refused connection says why, and the next tap tries again', async () => {
  const joined = interview.join()
  await tick()
  server.socket.say('connect_error', Object.assign(new Error(), { data: { code: 'room_full' } }))
  expect(await joined).toBe(false)
  expect(interview.state).toMatchObject({ phase: 'failed', error: { code: 'room_full' } })
  await enter()
  expect(interview.state).toMatchObject({ phase: 'room', error: null })
})

test('a reload comes back to the seat, with what was switched off still off', async () => {
  await enter()
  await interview.toggleMicrophone()
  await tick()
  expect(rememberedVisit('secret')).toEqual({ link: 'secret', microphone: false, camera: true })
  await interview.leave()
  expect(rememberedVisit('secret')).toBeNull()
  rememberVisit({ link: 'other', microphone: true, camera: true })
  expect(rememberedVisit('secret')).toBeNull()
})

test('what was remembered joins without a tap', async () => {
  rememberVisit({ link: 'fresh', microphone: false, camera: true })
  await link.load('fresh')
  await tick()
  expect(interview.state.phase).toBe('joining')
  expect(devices.state.microphone.on).toBe(false)
})

test('leaving tells the server, lets everything go, and can be undone by a tap', async () => {
  await enter()
  const { socket } = server
  await interview.leave()
  expect(socket.bodies('room.leave')).toHaveLength(1)
  expect(interview.state.phase).toBe('left')
  await enter()
  expect(interview.state.phase).toBe('room')
  expect(server.socket.auth).toEqual({ token: 'join' })
})

test('a visit begun right after the goodbye is not ended by the leaving that was still under way', async () => {
  await enter()
  delete server.answers['room.leave']
  const left = interview.leave()
  server.socket.notice('goodbye', { reason: 'left' })
  expect(interview.state.phase).toBe('left')
  await enter()
  await tick(10_000)
  expect(interview.state.phase).toBe('room')
  expect(await left).toBe(true)
  server.answers['room.leave'] = () => ({})
})

test('muted by another: the microphone goes off, and only ours', async () => {
  await enter()
  event({ type: 'participant.muted', participant: 'ann', by: 'bob' })
  expect(devices.state.microphone.on).toBe(true)
  event({ type: 'participant.muted', participant: 'me', by: 'ann' })
  expect(devices.track('microphone')?.enabled).toBe(false)
})

test('interviewers see who waits and where the next round is', async () => {
  await enter(asInterviewer)
  event({ type: 'participant.entered', participant: person('cat', { placement: 'lobby' }) })
  expect(interview.state.waiting.map(({ id }) => id)).toEqual(['cat'])
  expect(interview.state.nextRound?.id).toBe('round-2')
  expect(interview.state.participants.map(({ id }) => id)).toEqual(['ann'])
})

test('a hand-over can be taken back for as long as the server says', async () => {
  await enter(asInterviewer)
  server.answers['round.hand_over'] = () => ({
    round: 'round-2',
    placement: 'lobby',
    undo_ms: 5_000,
  })
  expect(await interview.handOver('ann')).toBe(true)
  expect(interview.state.canTakeBack).toMatchObject({ participant: 'ann', name: 'ANN' })
  await tick(5_000)
  expect(interview.state.canTakeBack).toBeNull()
  await interview.handOver('ann')
  server.answers['round.take_back'] = () => ({})
  expect(await interview.takeBack('ann')).toBe(true)
  expect(interview.state.canTakeBack).toBeNull()
})

test('a refused command is told and can be dismissed', async () => {
  await enter()
  server.answers['seat.admit'] = () => {
    throw { code: 'not_permitted', message: 'no', remedy: '' }
  }
  expect(await interview.admit('ann')).toBe(false)
  expect(interview.state.error?.code).toBe('not_permitted')
  interview.dismissError()
  expect(interview.state.error).toBeNull()
})

test('a line is shown at once, once, and survives a lost connection', async () => {
  await enter()
  delete server.answers['chat.send']
  const said = interview.say('  你好  ')
  expect(interview.state.chat).toMatchObject([{ text: '你好', mine: true, state: 'sending' }])
  const [first] = server.socket.bodies('chat.send') as [{ key: string }]
  await tick(8_000)
  expect(await said).toBe(false)
  server.answers['chat.send'] = () => ({ id: 'line-7' })
  await reconnect({})
  expect(server.socket.bodies('chat.send')).toEqual([{ key: first.key, text: '你好' }])
  const message = { id: 'line-7', participant: 'me', name: 'ME', text: '你好', at_ms: 1 }
  event({ type: 'chat.message', message })
  expect(interview.state.chat).toEqual([{ ...message, mine: true, state: 'sent' }])
})

test('a refused line can be said again; nothing and too much are not sent', async () => {
  await enter()
  server.answers['chat.send'] = () => {
    throw { code: 'chat_full', message: '' }
  }
  expect(await interview.say('x')).toBe(false)
  expect(interview.state.chat).toMatchObject([{ state: 'failed' }])
  await interview.say('x')
  expect(interview.state.chat).toHaveLength(1)
  expect(await interview.say('   ')).toBe(false)
  expect(await interview.say('字'.repeat(2001))).toBe(false)
  expect(interview.state.error?.code).toBe('chat_too_long')
  expect(server.socket.bodies('chat.send')).toHaveLength(2)
})

test("others' lines are unread until the chat is open; old ones are no news", async () => {
  const line = (id: string, participant = 'ann') => ({
    id,
    participant,
    name: '',
    text: id,
    at_ms: 1,
  })
  await enter({ room: { ...ROOM, chat: [line('old')] } })
  expect(interview.state.unread).toBe(0)
  event({ type: 'chat.message', message: line('a') })
  event({ type: 'chat.message', message: line('b', 'me') })
  expect(interview.state.unread).toBe(1)
  interview.readChat(true)
  expect(interview.state.unread).toBe(0)
  event({ type: 'chat.message', message: line('c') })
  expect(interview.state.unread).toBe(0)
  interview.readChat(false)
  event({ type: 'chat.message', message: line('d') })
  expect(interview.state.unread).toBe(1)
})

test('reactions show and go; a replayed old one is over', async () => {
  await enter()
  event({ type: 'reaction', participant: 'ann', name: 'clap' })
  expect(interview.state.reactions).toMatchObject([{ name: 'clap', participantName: 'ANN' }])
  await tick(SHOWN_MS)
  expect(interview.state.reactions).toEqual([])
  const body = { type: 'reaction', participant: 'ann', name: 'hand' } as const
  event(body, ROOM.id, Date.now() - 60_000)
  expect(interview.state.reactions).toEqual([])
})

test("a screen: chosen, permitted, sent, and ended by the browser's own bar", async () => {
  await enter()
  const stream = await media.getUserMedia({ video: true })
  display.mockResolvedValueOnce(stream)
  server.answers['screen.start'] = () => ({})
  server.answers['screen.stop'] = () => ({})
  expect(await interview.startScreen()).toBe(true)
  expect(interview.state.screen).toMatchObject({ mine: true, stream })
  expect(pc().getTransceivers()[2]?.sender.track).toBe(stream.getTracks()[0])
  stream.getTracks()[0]?.end()
  await tick()
  expect(interview.state.screen).toBeNull()
  expect(server.socket.bodies('screen.stop')).toHaveLength(1)
  expect(pc().getTransceivers()[2]?.sender.track).toBeNull()
})

test('a screen that another shares, or that was not chosen, is not captured on', async () => {
  await enter()
  const stream = await media.getUserMedia({ video: true })
  display.mockResolvedValueOnce(stream)
  server.answers['screen.start'] = () => {
    throw { code: 'screen_taken', message: '' }
  }
  expect(await interview.startScreen()).toBe(false)
  expect(stream.getTracks()[0]?.readyState).toBe('ended')
  expect(interview.state.error?.code).toBe('screen_taken')
  interview.dismissError()
  display.mockRejectedValueOnce(Object.assign(new Error(), { name: 'NotAllowedError' }))
  expect(await interview.startScreen()).toBe(false)
  expect(interview.state.error).toBeNull()
})

test('another network: the socket is probed and given up if silent, ICE restarts', async () => {
  await enter()
  delete server.answers['quality.report']
  const old = server.socket
  dispatchEvent(new Event('online'))
  await tick()
  expect(old.bodies('media.offer')).toHaveLength(2)
  await tick(2_000)
  expect(old.closed).toBe(true)
  await tick(1_000)
  expect(server.sockets).toHaveLength(2)
})

test('nothing arrives any more: the socket is tried, and replaced if it is dead too', async () => {
  await enter()
  const pair = { type: 'candidate-pair', nominated: true, state: 'succeeded', bytesReceived: 1 }
  pc().stats.set('p', pair)
  const old = server.socket
  for (let second = 0; second < 5; second++) {
    pair.bytesReceived += 1000
    await tick(1_000)
  }
  const probes = (): number =>
    old.bodies('quality.report').filter((body) => !('span_ms' in (body as object))).length
  expect(probes()).toBe(0)
  delete server.answers['quality.report']
  await tick(2_000)
  expect(probes()).toBe(1)
  expect(interview.state.phase).toBe('room')
  await tick(2_000)
  expect(old.closed).toBe(true)
  expect(interview.state.phase).toBe('reconnecting')
})

test('a new visit is not judged by the path of the one before', async () => {
  const adviceAfter = async (lostMs: number): Promise<string> => {
    await enter()
    pc().become('failed')
    await tick(lostMs)
    return interview.state.quality.advice
  }
  expect(await adviceAfter(40_000)).toBe('call_hr')
  await interview.leave()
  expect(await adviceAfter(2_000)).toBe('switch_network')
})

test('an HR link has no seat to join', async () => {
  vi.mocked(fetch).mockResolvedValueOnce(new Response(JSON.stringify({ token: null })))
  expect(await interview.join()).toBe(false)
  expect(interview.state.error?.code).toBe('not_a_participant')
})
