import { beforeEach, expect, test, vi } from 'vitest'

import { deviceProblemCode, obstacle } from './device_problem'
import { Devices } from './devices'
import {
  FakeMediaDevices,
  FakeStream,
  TWO_DEVICES,
  failure,
  type FakeDevice,
} from './testing/fake_media'

const BACK: FakeDevice = {
  kind: 'videoinput',
  deviceId: 'cam-2',
  label: 'Back',
  facing: 'environment',
}
const [MICROPHONE, CAMERA] = TWO_DEVICES as [FakeDevice, FakeDevice]

beforeEach(() => {
  vi.stubGlobal('MediaStream', FakeStream)
  vi.stubGlobal('AudioContext', undefined)
  vi.stubGlobal('isSecureContext', true)
})

function devicesOf(
  media: FakeMediaDevices | undefined,
  options: { phone?: boolean; ios?: boolean } = {},
): Devices {
  return new Devices({
    video: 'phone',
    phone: options.phone ?? false,
    renewsAfterInterruption: options.ios ?? false,
    media: media as unknown as MediaDevices,
  })
}

const failing = (device: FakeDevice, name: string, message?: string): FakeDevice => ({
  ...device,
  fails: { name, ...(message === undefined ? {} : { message }) },
})

const cycleVisibility = (): void => {
  const state = vi.spyOn(document, 'visibilityState', 'get')
  state.mockReturnValue('visible')
  document.dispatchEvent(new Event('visibilitychange'))
}

test('one question opens both, and a second tap joins the first', async () => {
  const media = new FakeMediaDevices(TWO_DEVICES)
  const devices = devicesOf(media)
  expect(await Promise.all([devices.open(), devices.open()])).toEqual([true, true])
  expect(media.asked).toHaveLength(1)
  expect(devices.state).toMatchObject({
    problem: null,
    asking: false,
    microphone: { id: 'mic-1', label: 'Microphone', on: true },
    camera: { id: 'cam-1', facing: 'user', on: true },
  })
  expect(devices.state.stream?.getTracks()).toHaveLength(2)
})

test.each([
  ['NotAllowedError', '', 'denied'],
  ['NotAllowedError', 'Permission dismissed', 'dismissed'],
  ['PermissionDeniedError', '', 'denied'],
  ['SecurityError', '', 'denied'],
  ['NotFoundError', '', 'missing'],
  ['DevicesNotFoundError', '', 'missing'],
  ['NotReadableError', '', 'in_use'],
  ['TrackStartError', '', 'in_use'],
  ['AbortError', '', 'in_use'],
  ['OverconstrainedError', '', 'overconstrained'],
  ['ConstraintNotSatisfiedError', '', 'overconstrained'],
  ['TypeError', '', 'unsupported'],
  ['SomethingNewError', '', 'unsupported'],
] as const)('%s %s is %s', (name, message, code) => {
  expect(deviceProblemCode(failure(name, message))).toBe(code)
})

test('no error at all is still a problem', () => {
  for (const nothing of [undefined, null, 'x'])
    expect(deviceProblemCode(nothing)).toBe('unsupported')
})

test('a page that cannot ask says whether HTTPS would help', async () => {
  expect(obstacle(undefined, false)).toBe('insecure')
  expect(obstacle(undefined, true)).toBe('unsupported')
  vi.stubGlobal('isSecureContext', false)
  const devices = devicesOf(undefined)
  expect(await devices.open()).toBe(false)
  expect(devices.state.problem).toEqual({ code: 'insecure', kinds: ['microphone', 'camera'] })
})

test('without a camera the microphone still works, and the problem names the camera', async () => {
  const devices = devicesOf(new FakeMediaDevices([MICROPHONE]))
  expect(await devices.open()).toBe(false)
  expect(devices.state.problem).toEqual({ code: 'missing', kinds: ['camera'] })
  expect(devices.track('microphone')).not.toBeNull()
})

test('a camera that another application holds leaves the microphone, and a retry asks for it alone', async () => {
  const media = new FakeMediaDevices([MICROPHONE, failing(CAMERA, 'NotReadableError')])
  const devices = devicesOf(media)
  await devices.open()
  expect(devices.state.problem).toEqual({ code: 'in_use', kinds: ['camera'] })
  media.devices = TWO_DEVICES
  expect(await devices.retry()).toBe(true)
  expect(media.asked[media.asked.length - 1]?.audio).toBe(false)
  expect(devices.state.problem).toBeNull()
  expect(devices.track('camera')).not.toBeNull()
})

test('a dismissed question can be asked again', async () => {
  const media = new FakeMediaDevices([
    failing(MICROPHONE, 'NotAllowedError', 'Permission dismissed'),
    CAMERA,
  ])
  const devices = devicesOf(media)
  expect(await devices.open()).toBe(false)
  expect(devices.state.problem?.code).toBe('dismissed')
  media.devices = TWO_DEVICES
  expect(await devices.open()).toBe(true)
})

test('a chosen camera that is gone gives way to any other', async () => {
  const media = new FakeMediaDevices(TWO_DEVICES)
  const devices = devicesOf(media)
  await devices.open()
  expect(await devices.choose('camera', 'cam-9')).toBe(true)
  expect(devices.state.camera.id).toBe('cam-1')
})

test('muting keeps the microphone open, switching the camera off lets it go', async () => {
  const media = new FakeMediaDevices(TWO_DEVICES)
  const devices = devicesOf(media)
  await devices.open()
  const { stream } = devices.state
  await devices.setMicrophone(false)
  expect(devices.track('microphone')?.enabled).toBe(false)
  const camera = devices.track('camera')
  await devices.setCamera(false)
  expect(camera?.readyState).toBe('ended')
  expect(devices.track('camera')).toBeNull()
  await devices.setCamera(true)
  await devices.setMicrophone(true)
  expect(devices.track('microphone')?.enabled).toBe(true)
  expect(devices.track('camera')).not.toBeNull()
  expect(devices.state.stream).toBe(stream)
  expect(media.asked).toHaveLength(2)
})

test('switched off before opening stays off', async () => {
  const media = new FakeMediaDevices(TWO_DEVICES)
  const devices = devicesOf(media)
  await devices.setMicrophone(false)
  await devices.setCamera(false)
  await devices.open()
  expect(devices.track('microphone')?.enabled).toBe(false)
  expect(devices.track('camera')).toBeNull()
  expect(media.asked).toHaveLength(1)
  expect(media.asked[0]?.video).toBe(false)
})

test('a phone flips between its cameras, holding one at a time', async () => {
  const media = new FakeMediaDevices([...TWO_DEVICES, BACK])
  const devices = devicesOf(media, { phone: true })
  await devices.open()
  await expect.poll(() => devices.state.camera.canFlip).toBe(true)
  const front = devices.track('camera')
  await devices.flip()
  expect(front?.readyState).toBe('ended')
  expect(devices.state.camera).toMatchObject({ id: 'cam-2', facing: 'environment' })
  await devices.flip()
  expect(devices.state.camera.facing).toBe('user')
})

test('an unplugged microphone gives way to another, else it is a problem', async () => {
  const other: FakeDevice = { kind: 'audioinput', deviceId: 'mic-2', label: 'Other' }
  const media = new FakeMediaDevices([...TWO_DEVICES, other])
  const devices = devicesOf(media)
  await devices.open()
  media.devices = [CAMERA, other]
  media.opened[0]?.end()
  await expect.poll(() => devices.state.microphone.id).toBe('mic-2')
  media.devices = [CAMERA]
  media.opened[media.opened.length - 1]?.end()
  await expect.poll(() => devices.state.problem).toEqual({ code: 'ended', kinds: ['microphone'] })
  media.devices = TWO_DEVICES
  media.dispatchEvent(new Event('devicechange'))
  await expect.poll(() => devices.state.problem).toBeNull()
})

test('iOS: after an interruption everything is opened afresh, though tracks claim to live', async () => {
  const media = new FakeMediaDevices(TWO_DEVICES)
  const devices = devicesOf(media, { phone: true, ios: true })
  await devices.open()
  const before = devices.track('microphone')
  media.opened[0]?.onmute?.()
  cycleVisibility()
  await expect.poll(() => devices.track('microphone') !== before).toBe(true)
  expect(before?.readyState).toBe('ended')
  expect(media.asked).toHaveLength(2)
})

test('elsewhere a return to the page opens only what has died', async () => {
  const media = new FakeMediaDevices(TWO_DEVICES)
  const devices = devicesOf(media)
  await devices.open()
  media.opened[0]?.onmute?.()
  cycleVisibility()
  expect(media.asked).toHaveLength(1)
  media.opened[1]?.stop()
  cycleVisibility()
  await expect.poll(() => media.asked.length).toBe(2)
  expect(media.asked[1]?.audio).toBe(false)
})

test('closing lets everything go', async () => {
  const media = new FakeMediaDevices(TWO_DEVICES)
  const devices = devicesOf(media)
  await devices.open()
  devices.close()
  expect(media.opened.map(({ readyState }) => readyState)).toEqual(['ended', 'ended'])
  expect(devices.state.stream).toBeNull()
})

test('prepare opens only what was granted before', async () => {
  const query = vi.fn().mockResolvedValue({ state: 'prompt' })
  vi.stubGlobal('navigator', { permissions: { query } })
  const media = new FakeMediaDevices(TWO_DEVICES)
  const devices = devicesOf(media)
  expect(await devices.prepare()).toBe(false)
  expect(media.asked).toHaveLength(0)
  query.mockResolvedValue({ state: 'granted' })
  expect(await devices.prepare()).toBe(true)
  query.mockRejectedValue(new TypeError('camera is no permission here'))
  expect(await devicesOf(media).prepare()).toBe(false)
})
