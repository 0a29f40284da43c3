import { expect, test } from 'vitest'

import { drawnSize, type Screen } from './drawn'

const DESKTOP: Screen = { density: 1, phone: false }
const WIDE = 16 / 9
const box = (width: number, height: number): Parameters<typeof drawnSize>[0] => ({
  left: 0,
  top: 0,
  width,
  height,
})

test.each<[string, [number, number], number, 'cover' | 'contain', Screen, [number, number]]>([
  ['a box of the same shape', [640, 360], WIDE, 'cover', DESKTOP, [640, 360]],
  [
    'an upright box shows the middle of a wide picture',
    [360, 720],
    WIDE,
    'cover',
    DESKTOP,
    [1280, 720],
  ],
  [
    'a flat box shows the middle of an upright picture',
    [640, 360],
    9 / 16,
    'cover',
    DESKTOP,
    [640, 1138],
  ],
  ['a slide is shown whole', [1000, 1000], WIDE, 'contain', DESKTOP, [1000, 563]],
  [
    'a fine screen has more pixels',
    [640, 360],
    WIDE,
    'cover',
    { ...DESKTOP, density: 1.5 },
    [960, 540],
  ],
  ['finer than the eye', [640, 360], WIDE, 'cover', { ...DESKTOP, density: 3 }, [1280, 720]],
  ['a phone pays for no more', [375, 812], WIDE, 'cover', { density: 3, phone: true }, [1280, 720]],
  ['a small tile on a phone', [160, 90], WIDE, 'cover', { density: 3, phone: true }, [320, 180]],
])('%s', (_, [width, height], aspect, fit, screen, size) => {
  const drawn = drawnSize(box(width, height), aspect, fit, screen)
  expect([drawn.width, drawn.height]).toEqual(size)
})

test('nothing is drawn where there is no room, and without a shape', () => {
  const nothing = { width: 0, height: 0 }
  expect(drawnSize(null, WIDE, 'cover', DESKTOP)).toEqual(nothing)
  expect(drawnSize(box(0, 90), WIDE, 'cover', DESKTOP)).toEqual(nothing)
  expect(drawnSize(box(160, 90), 0, 'cover', DESKTOP)).toEqual(nothing)
})
