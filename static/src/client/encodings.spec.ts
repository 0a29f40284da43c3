import { expect, test } from 'vitest'

import {
  SAVER_SIDE,
  UNLIMITED,
  cameraEncodings,
  offeredEncodings,
  screenEncodings,
  type Limit,
  type PictureDemand,
} from './encodings'
import { videoClass, type VideoClass } from './video_class'

function sides(
  kind: VideoClass,
  [width, height]: [number, number],
  demand: Partial<PictureDemand> = {},
): Record<string, number> {
  const encodings = cameraEncodings(kind, { width, height }, { ...UNLIMITED, ...demand })
  const active = encodings.filter((one) => one.active)
  return Object.fromEntries(
    active.map(({ rid, scaleResolutionDownBy = 1 }) => [
      rid,
      Math.round(Math.min(width, height) / scaleResolutionDownBy),
    ]),
  )
}

test.each<[[number, number], Record<string, number>]>([
  [[1920, 1080], { q: 360, h: 720, f: 1080 }],
  [[1080, 1920], { q: 360, h: 720, f: 1080 }], // a phone held upright
  [[1280, 720], { q: 360, h: 720 }],
  [[960, 540], { q: 360, h: 540 }],
  [[640, 480], { q: 240, h: 480 }],
  [[480, 270], { q: 135, h: 270 }],
  [[320, 240], { q: 240 }],
])('a camera of %j has these layers: %j', (size, layers) => {
  expect(sides('desktop', size)).toEqual(layers)
})

const watched = (...rids: string[]): Partial<PictureDemand> => ({
  wanted: new Map(rids.map((rid) => [rid, null])),
})

test.each<[string, [number, number], Partial<PictureDemand>, string]>([
  ['nobody watches', [1920, 1080], watched(), ''],
  ['one small tile', [1920, 1080], watched('q'), 'q'],
  ['a large and a small tile', [1920, 1080], watched('q', 'f'), 'qf'],
  ['a layer this camera lacks', [1280, 720], watched('f'), 'h'],
  ['a camera with one layer', [320, 240], watched('h', 'f'), 'q'],
  ['a data saver', [1920, 1080], { maxSide: SAVER_SIDE }, 'q'],
  [
    'a data saver, though all are watched',
    [1920, 1080],
    { ...watched('h', 'f'), maxSide: 360 },
    'q',
  ],
  ['a small camera that saves', [640, 480], { maxSide: SAVER_SIDE }, 'q'],
  ['a machine that bears two', [1920, 1080], { maxLayers: 2 }, 'qh'],
  ['a machine that bears one, watched larger', [1280, 720], { ...watched('h'), maxLayers: 1 }, 'q'],
])('%s', (_, size, demand, rids) => {
  expect(Object.keys(sides('strong_desktop', size, demand)).join('')).toBe(rids)
})

test('before the camera is known every layer is offered, none larger than the picture', () => {
  const offered = offeredEncodings('desktop', true)
  expect(offered.map(({ rid, active }) => [rid, active])).toEqual([
    ['q', true],
    ['h', true],
    ['f', true],
  ])
  expect(offered.every(({ scaleResolutionDownBy = 0 }) => scaleResolutionDownBy >= 1)).toBe(true)
  expect(offered.every(({ scalabilityMode }) => scalabilityMode === 'L1T3')).toBe(true)
  expect(offeredEncodings('desktop', false).some((one) => 'scalabilityMode' in one)).toBe(false)
})

test('a screen is sent while somebody watches it, or nobody has said', () => {
  const active = (wanted: PictureDemand['wanted']): unknown =>
    screenEncodings(null, { ...UNLIMITED, wanted })[0]?.active
  expect([null, new Map([['', null]]), new Map()].map(active)).toEqual([true, true, false])
})

test('a rid that we never offered is nobody we know', () => {
  expect(sides('desktop', [1280, 720], watched('x', '', 'q'))).toEqual({ q: 360 })
})

function bitrates(
  [width, height]: [number, number],
  limits: Record<string, Limit>,
  demand: Partial<PictureDemand> = {},
): Record<string, number | undefined> {
  const wanted = new Map(Object.entries(limits))
  const encodings = cameraEncodings(
    'strong_desktop',
    { width, height },
    { ...UNLIMITED, wanted, ...demand },
  )
  const active = encodings.filter((one) => one.active)
  return Object.fromEntries(active.map(({ rid, maxBitrate }) => [rid, maxBitrate]))
}

const FULL: [number, number] = [1920, 1080]
const HALF: [number, number] = [1280, 720]

test.each<[string, Record<string, Limit>, Record<string, number>]>([
  ['no limit', { q: null, h: null }, { q: 400_000, h: 1_500_000 }],
  ['a narrow viewer', { q: 90_000 }, { q: 90_000 }],
  ['a limit on one layer only', { q: 90_000, f: null }, { q: 90_000, f: 2_500_000 }],
  ['more room than the layer fills', { q: 9_000_000 }, { q: 400_000 }],
  ['hardly anything', { q: 29_999 }, { q: 30_000 }],
  ['nothing', { q: 0 }, { q: 30_000 }],
  ['less than nothing', { q: -1 }, { q: 30_000 }],
  ['a fraction', { q: 99_999.9 }, { q: 99_999 }],
  ['more than any integer', { q: 2 ** 64 }, { q: 400_000 }],
  ['infinity', { q: Infinity }, { q: 400_000 }],
])('of %s the encoder keeps to what it is told', (_, limits, sent) => {
  expect(bitrates(FULL, limits)).toEqual(sent)
})

test.each<[string, [number, number], Record<string, Limit>, Record<string, number>]>([
  ['goes with it', HALF, { f: 200_000 }, { h: 200_000 }],
  ['gives way to a larger one', HALF, { h: 200_000, f: 500_000 }, { h: 500_000 }],
  ['gives way to a larger one below', HALF, { h: 500_000, f: 200_000 }, { h: 500_000 }],
  ['gives way to no limit', HALF, { h: null, f: 200_000 }, { h: 1_500_000 }],
  ['gives way to no limit above', HALF, { h: 200_000, f: null }, { h: 1_500_000 }],
  ['is one of three', [320, 240], { q: 60_000, h: 90_000, f: 70_000 }, { q: 90_000 }],
  ['is no help to three', [320, 240], { q: 60_000, h: null, f: 70_000 }, { q: 250_000 }],
  ['leaves a layer of its own alone', HALF, { q: 60_000, f: 200_000 }, { q: 60_000, h: 200_000 }],
])('the limit of a layer that this camera lacks %s', (_, size, limits, sent) => {
  expect(bitrates(size, limits)).toEqual(sent)
})

test('a data saver and a weak machine take the limit down to the layer that they send', () => {
  expect(bitrates(FULL, { f: 90_000 }, { maxSide: SAVER_SIDE })).toEqual({ q: 90_000 })
  expect(bitrates(FULL, { f: 90_000, q: 50_000 }, { maxLayers: 1 })).toEqual({ q: 90_000 })
  expect(bitrates(FULL, { f: null, q: 50_000 }, { maxLayers: 1 })).toEqual({ q: 400_000 })
})

test('a limit of a rid that we never offered is none of ours', () => {
  expect(bitrates(FULL, { x: 40_000, q: 60_000 })).toEqual({ q: 60_000 })
})

test.each<[string, Record<string, Limit> | null, number]>([
  ['nobody has said', null, 2_500_000],
  ['nobody watches', {}, 2_500_000],
  ['all have room', { '': null }, 2_500_000],
  ['the only viewer is narrow', { '': 300_000 }, 300_000],
  ['the only viewer is very narrow', { '': 1 }, 30_000],
  ['the only viewer has more room than it fills', { '': 8_000_000 }, 2_500_000],
])('a screen of which %s', (_, limits, bps) => {
  const wanted = limits && new Map(Object.entries(limits))
  const [screen] = screenEncodings(null, { ...UNLIMITED, wanted })
  expect(screen).toMatchObject({ maxBitrate: bps, maxFramerate: 15 })
})

test('a larger picture gets more bits, a phone fewer', () => {
  const bps = (kind: VideoClass): number[] =>
    cameraEncodings(kind, { width: 1920, height: 1080 }).map((one) => one.maxBitrate ?? 0)
  expect(bps('strong_desktop')).toEqual([400_000, 1_500_000, 2_500_000])
  expect(bps('strong_phone')).toEqual([320_000, 1_200_000, 2_000_000])
})

test.each<[Parameters<typeof videoClass>[0], VideoClass]>([
  [{ phone: false, cores: 2, memoryGiB: 8 }, 'desktop'],
  [{ phone: false, cores: 8, memoryGiB: null }, 'strong_desktop'],
  [{ phone: true, cores: 4, memoryGiB: 2 }, 'weak_phone'],
  [{ phone: true, cores: 8, memoryGiB: 2 }, 'phone'],
  [{ phone: true, cores: 8, memoryGiB: 8 }, 'strong_phone'],
  [{ phone: true, cores: 2, memoryGiB: null }, 'phone'], // an iPhone
])('%j is a %s', (machine, kind) => {
  expect(videoClass(machine)).toBe(kind)
})
