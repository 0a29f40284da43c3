/**
 * Where the tiles of a stage go. Pure geometry in CSS pixels.
 *
 * `fit` keeps each picture's own shape and finds the rows that give the largest pictures (desktop).
 * `fill` covers the whole stage and finds the grid that crops least (phone).
 */
export interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

export interface Size {
  readonly width: number
  readonly height: number
}

export interface ScreenLayout {
  readonly screen: Box
  readonly tiles: readonly Box[]
}

/** Pictures narrower or wider than this are cropped to it: a strip of a face helps nobody. */
const NARROWEST_ASPECT = 9 / 16
const WIDEST_ASPECT = 16 / 9

/** Share of the stage's longer side that the strip beside a shared screen takes. */
const STRIP_SHARE = 0.2
const STRIP_MIN_PX = 104
const STRIP_MAX_PX = 260

function clampAspect(aspect: number): number {
  if (!Number.isFinite(aspect) || aspect <= 0) return WIDEST_ASPECT
  return Math.min(WIDEST_ASPECT, Math.max(NARROWEST_ASPECT, aspect))
}

/** Splits `count` tiles into `rows` rows as evenly as can be, the fuller rows first. */
export function splitRows(count: number, rows: number): number[] {
  const least = Math.floor(count / rows)
  const fuller = count % rows
  return Array.from({ length: rows }, (_, row) => least + (row < fuller ? 1 : 0))
}

function rowHeights(
  stage: Size,
  aspects: readonly number[],
  split: readonly number[],
  gap: number,
): number {
  const roomy = (stage.height - gap * (split.length - 1)) / split.length
  let height = Math.max(0, roomy)
  let first = 0
  for (const length of split) {
    const widths = aspects.slice(first, first + length).reduce((sum, aspect) => sum + aspect, 0)
    height = Math.min(height, Math.max(0, (stage.width - gap * (length - 1)) / widths))
    first += length
  }
  return height
}

/** Lays the tiles out in rows of one height, centred, each with its own shape. */
export function fitTiles(stage: Size, shapes: readonly number[], gap: number): Box[] {
  const aspects = shapes.map(clampAspect)
  if (aspects.length === 0 || stage.width <= 0 || stage.height <= 0) return []
  let best: { split: number[]; height: number } = { split: [aspects.length], height: 0 }
  for (let rows = 1; rows <= aspects.length; rows += 1) {
    const split = splitRows(aspects.length, rows)
    const height = rowHeights(stage, aspects, split, gap)
    if (height > best.height) best = { split, height }
  }
  return placeRows(stage, aspects, best.split, best.height, gap)
}

function placeRows(
  stage: Size,
  aspects: readonly number[],
  split: readonly number[],
  height: number,
  gap: number,
): Box[] {
  const boxes: Box[] = []
  const used = height * split.length + gap * (split.length - 1)
  let top = (stage.height - used) / 2
  for (const length of split) {
    const row = aspects.slice(boxes.length, boxes.length + length)
    const width = row.reduce((sum, aspect) => sum + aspect * height, gap * (length - 1))
    let left = (stage.width - width) / 2
    for (const aspect of row) {
      boxes.push({ left, top, width: aspect * height, height })
      left += aspect * height + gap
    }
    top += height + gap
  }
  return boxes
}

/** The share of a picture that stays visible when it covers a cell. */
function visibleShare(picture: number, cell: number): number {
  return Math.min(picture / cell, cell / picture)
}

/** Covers the stage with a grid; the last row stretches when it has fewer tiles. */
export function fillTiles(stage: Size, shapes: readonly number[], gap: number): Box[] {
  const aspects = shapes.map(clampAspect)
  if (aspects.length === 0 || stage.width <= 0 || stage.height <= 0) return []
  let best: { boxes: Box[]; share: number } | null = null
  for (let rows = 1; rows <= aspects.length; rows += 1) {
    const boxes = fillRows(stage, splitRows(aspects.length, rows), gap)
    const share = boxes.reduce(
      (sum, box, index) =>
        sum + visibleShare(aspects[index] ?? WIDEST_ASPECT, box.width / box.height),
      0,
    )
    if (best === null || share > best.share) best = { boxes, share }
  }
  return best?.boxes ?? []
}

function fillRows(stage: Size, split: readonly number[], gap: number): Box[] {
  const height = (stage.height - gap * (split.length - 1)) / split.length
  return split.flatMap((length, row) => {
    const width = (stage.width - gap * (length - 1)) / length
    return Array.from({ length }, (_, column) => ({
      left: column * (width + gap),
      top: row * (height + gap),
      width,
      height,
    }))
  })
}

/**
 * A shared screen takes as much of the stage as its shape fills; the people get what is left beside
 * it, or below it on a tall stage, and never less than a strip.
 */
export function screenWithStrip(
  stage: Size,
  shapes: readonly number[],
  screenAspect: number,
  gap: number,
): ScreenLayout {
  const whole = { left: 0, top: 0, width: stage.width, height: stage.height }
  if (shapes.length === 0) return { screen: whole, tiles: [] }
  const wide = stage.width >= stage.height
  const longer = wide ? stage.width : stage.height
  const strip = Math.min(STRIP_MAX_PX, Math.max(STRIP_MIN_PX, longer * STRIP_SHARE))
  const filled = wide ? stage.height * screenAspect : stage.width / screenAspect
  const taken = Math.max(0, Math.min(longer - strip - gap, filled))
  const left = Math.max(0, longer - taken - gap)
  const area = wide ? { width: left, height: stage.height } : { width: stage.width, height: left }
  const shift = wide ? { left: taken + gap, top: 0 } : { left: 0, top: taken + gap }
  const tiles = fitTiles(area, shapes, gap).map((box) => ({
    ...box,
    left: box.left + shift.left,
    top: box.top + shift.top,
  }))
  const screen = wide ? { ...whole, width: taken } : { ...whole, height: taken }
  return { screen, tiles }
}
