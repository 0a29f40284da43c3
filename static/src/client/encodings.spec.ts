import { expect, test } from 'vitest'

import {
  SAVER_SIDE,
  UNLIMITED,
  cameraEncodings,
  offeredEncodings,
  screenEncodings,
  type PictureDemand,
  type Rid,
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

const watched = (...rids: Rid[]): Partial<PictureDemand> => ({ wanted: new Set(rids) })

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
  const active = (wanted: ReadonlySet<string> | null): unknown =>
    screenEncodings(null, { ...UNLIMITED, wanted })[0]?.active
  expect([null, new Set(['']), new Set([])].map(active)).toEqual([true, true, false])
})

test('a rid that we never offered is nobody we know', () => {
  expect(sides('desktop', [1280, 720], { wanted: new Set(['x', '', 'q']) })).toEqual({ q: 360 })
})

test('a larger picture gets more bits, a phone fewer', () => {
  const bps = (kind: VideoClass): number[] =>
    cameraEncodings(kind, { width: 1920, height: 1080 }).map((one) => one.maxBitrate ?? 0)
  expect(bps('strong_desktop')).toEqual([400_000, 1_500_000, 3_000_000])
  expect(bps('strong_phone')).toEqual([320_000, 1_200_000, 2_400_000])
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
