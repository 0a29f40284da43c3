/** How large a whole picture is drawn, although a tile may show only a part of it. */
import type { Box } from './tiling'

export interface Screen {
  /** Device pixels for a CSS pixel. */
  density: number
  /** A phone: held at arm's length. */
  phone: boolean
}

/** Nobody sees more than that in a moving face. */
const MAX_DENSITY = 2
/** The shorter side, in pixels, beyond which a phone only pays for more data. */
const PHONE_SIDE = 720

export function drawnSize(
  box: Box | null | undefined,
  aspect: number,
  fit: 'cover' | 'contain',
  { density, phone }: Screen,
): { width: number; height: number } {
  if (!box || box.width <= 0 || box.height <= 0 || aspect <= 0) return { width: 0, height: 0 }
  const wider = box.width / box.height > aspect
  // What covers a box touches the sides that what is contained in it leaves free.
  const byWidth = wider === (fit === 'cover')
  const width = byWidth ? box.width : box.height * aspect
  const height = byWidth ? box.width / aspect : box.height
  const side = Math.min(width, height) * Math.min(density, MAX_DENSITY)
  const scale = (phone ? Math.min(side, PHONE_SIDE) : side) / Math.min(width, height)
  return { width: Math.round(width * scale), height: Math.round(height * scale) }
}
