import { describe, expect, it } from 'vitest'

import { fillTiles, fitTiles, screenWithStrip, splitRows, type Box, type Size } from './tiling'

const WIDE = 16 / 9
const GAP = 8
const STAGES: Size[] = [
  { width: 1440, height: 780 },
  { width: 1024, height: 700 },
  { width: 375, height: 640 },
  { width: 700, height: 320 },
]

function overlaps(a: Box, b: Box): boolean {
  const slack = 0.01
  return (
    a.left + a.width > b.left + slack &&
    b.left + b.width > a.left + slack &&
    a.top + a.height > b.top + slack &&
    b.top + b.height > a.top + slack
  )
}

function expectInside(stage: Size, boxes: readonly Box[]): void {
  for (const box of boxes) {
    expect(box.left).toBeGreaterThanOrEqual(-0.01)
    expect(box.top).toBeGreaterThanOrEqual(-0.01)
    expect(box.left + box.width).toBeLessThanOrEqual(stage.width + 0.01)
    expect(box.top + box.height).toBeLessThanOrEqual(stage.height + 0.01)
  }
  boxes.forEach((box, index) => {
    boxes.slice(index + 1).forEach((other) => expect(overlaps(box, other)).toBe(false))
  })
}

function area(boxes: readonly Box[]): number {
  return boxes.reduce((sum, box) => sum + box.width * box.height, 0)
}

describe('splitRows', () => {
  it('puts the fuller rows first and loses nobody', () => {
    expect(splitRows(7, 3)).toEqual([3, 2, 2])
    expect(splitRows(4, 2)).toEqual([2, 2])
    expect(splitRows(1, 1)).toEqual([1])
  })
})

describe('fitTiles', () => {
  it.each(STAGES)('keeps 1 to 9 tiles inside $width×$height without overlap', (stage) => {
    for (let count = 1; count <= 9; count += 1) {
      const boxes = fitTiles(stage, Array<number>(count).fill(WIDE), GAP)
      expect(boxes).toHaveLength(count)
      expectInside(stage, boxes)
    }
  })

  it('keeps each picture in its own shape', () => {
    const boxes = fitTiles({ width: 1200, height: 700 }, [9 / 16, WIDE], GAP)
    const shapes = boxes.map((box) => box.width / box.height)
    expect(shapes[0]).toBeCloseTo(9 / 16)
    expect(shapes[1]).toBeCloseTo(WIDE)
    expect(new Set(boxes.map((box) => Math.round(box.height))).size).toBe(1)
  })

  it('fills the limiting side with one picture and centres it', () => {
    const [only] = fitTiles({ width: 1600, height: 600 }, [WIDE], GAP)
    expect(only?.height).toBe(600)
    expect(only?.left).toBeCloseTo((1600 - 600 * WIDE) / 2)
  })

  it('beats every fixed number of columns', () => {
    const stage = { width: 1440, height: 780 }
    for (let count = 2; count <= 9; count += 1) {
      const best = area(fitTiles(stage, Array<number>(count).fill(WIDE), GAP))
      for (let columns = 1; columns <= count; columns += 1) {
        const rows = Math.ceil(count / columns)
        const width = Math.min(
          (stage.width - GAP * (columns - 1)) / columns,
          ((stage.height - GAP * (rows - 1)) / rows) * WIDE,
        )
        expect(best).toBeGreaterThanOrEqual((count * width * width) / WIDE - 1)
      }
    }
  })

  it('survives a stage without size and a picture without shape', () => {
    expect(fitTiles({ width: 0, height: 0 }, [WIDE], GAP)).toEqual([])
    expect(fitTiles({ width: 800, height: 600 }, [], GAP)).toEqual([])
    expectInside(
      { width: 800, height: 600 },
      fitTiles({ width: 800, height: 600 }, [NaN, 0, -1, 99], GAP),
    )
  })
})

describe('fillTiles', () => {
  it.each(STAGES)('covers $width×$height without a hole', (stage) => {
    for (let count = 1; count <= 6; count += 1) {
      const boxes = fillTiles(stage, Array<number>(count).fill(WIDE), 0)
      expectInside(stage, boxes)
      expect(area(boxes)).toBeCloseTo(stage.width * stage.height)
    }
  })

  it('stacks two landscape pictures on a phone held upright, and pairs them when it lies', () => {
    const upright = fillTiles({ width: 375, height: 640 }, [WIDE, WIDE], 0)
    expect(upright[0]?.width).toBe(375)
    const lying = fillTiles({ width: 800, height: 330 }, [WIDE, WIDE], 0)
    expect(lying[0]?.height).toBe(330)
  })
})

describe('screenWithStrip', () => {
  it.each(STAGES)(
    'lets a screen of any shape fill most of what it can on $width×$height',
    (stage) => {
      for (const aspect of [16 / 10, 4 / 3, 9 / 16]) {
        const { screen, tiles } = screenWithStrip(stage, [WIDE, 9 / 16], aspect, GAP)
        expectInside(stage, [screen, ...tiles])
        const alone = Math.min(stage.width, stage.height * aspect)
        expect(Math.min(screen.width, screen.height * aspect)).toBeGreaterThan(0.65 * alone)
      }
    },
  )

  it('gives the people what a wide screen leaves on a phone held upright', () => {
    const { screen, tiles } = screenWithStrip({ width: 375, height: 640 }, [WIDE], 16 / 10, GAP)
    expect(screen.height).toBeCloseTo(375 / 1.6)
    expect(tiles[0]?.width).toBeCloseTo(375)
  })

  it('leaves the whole stage to the screen when nobody else is there', () => {
    const stage = { width: 900, height: 500 }
    expect(screenWithStrip(stage, [], WIDE, GAP).screen).toEqual({ left: 0, top: 0, ...stage })
  })
})
