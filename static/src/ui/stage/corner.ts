export type Corner = 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right'

/** The corner of a box that a point in it is nearest to. */
export function nearestCorner(
  point: { x: number; y: number },
  box: { width: number; height: number },
): Corner {
  const vertical = point.y < box.height / 2 ? 'top' : 'bottom'
  const horizontal = point.x < box.width / 2 ? 'left' : 'right'
  return `${vertical}-${horizontal}`
}
