/** Drawn people in place of cameras, so that tiles show a face, a shape and a moving picture. */
import type { ParticipantView, QualityLevel } from '../src/client/protocol'
import type { PeerQuality, Tile } from '../src/client/types'

interface Look {
  wall: string
  shirt: string
  hair: string
}

const LOOKS: Look[] = [
  { wall: '#a9bcb6', shirt: '#2f4858', hair: '#2a211c' },
  { wall: '#c8bda8', shirt: '#7a3e48', hair: '#191919' },
  { wall: '#9fb1c9', shirt: '#3f6b4f', hair: '#3b2a20' },
  { wall: '#bcb0c4', shirt: '#3d3d5c', hair: '#241a14' },
]

function draw(context: CanvasRenderingContext2D, look: Look): void {
  const { width, height } = context.canvas
  const unit = Math.min(width, height * 0.9) / 10
  const middle = width / 2
  context.fillStyle = look.wall
  context.fillRect(0, 0, width, height)
  context.fillStyle = look.shirt
  context.beginPath()
  context.ellipse(middle, height, unit * 3.6, unit * 2.9, 0, 0, 7)
  context.fill()
  context.fillStyle = look.hair
  context.beginPath()
  context.ellipse(middle, height - unit * 5.3, unit * 1.75, unit * 2.05, 0, 0, 7)
  context.fill()
  context.fillStyle = '#e2b08c'
  context.fillRect(middle - unit * 0.6, height - unit * 4, unit * 1.2, unit * 1.6)
  context.beginPath()
  context.ellipse(middle, height - unit * 4.9, unit * 1.4, unit * 1.75, 0, 0, 7)
  context.fill()
}

/** A camera's stream of `width`×`height`. */
export function cameraStream(width: number, height: number, who: number): MediaStream {
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width, height })
  const context = canvas.getContext('2d')
  const look = LOOKS[who % LOOKS.length] ?? LOOKS[0]
  if (context && look) {
    const paint = (): void => draw(context, look)
    paint()
    setInterval(paint, 200)
  }
  return canvas.captureStream(5)
}

/** A shared document. */
export function screenStream(): MediaStream {
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width: 1280, height: 800 })
  const context = canvas.getContext('2d')
  const paint = (): void => {
    if (!context) return
    context.fillStyle = '#ffffff'
    context.fillRect(0, 0, 1280, 800)
    context.fillStyle = '#16211d'
    context.font = '44px sans-serif'
    context.fillText('岗位说明：门店店长', 90, 120)
    context.fillStyle = '#c9d2ce'
    for (let line = 0; line < 12; line += 1) {
      context.fillRect(90, 180 + line * 44, 700 + ((line * 173) % 380), 16)
    }
  }
  paint()
  setInterval(paint, 200)
  return canvas.captureStream(5)
}

export function person(
  id: string,
  name: string,
  role: ParticipantView['role'],
  change: Partial<ParticipantView> = {},
): ParticipantView {
  return {
    id,
    name,
    role,
    placement: 'room',
    connected: true,
    microphone: true,
    camera: true,
    screen: false,
    quality: 'good',
    since_ms: Date.now() - 754_000,
    ...change,
  }
}

export function tileOf(
  view: ParticipantView,
  who: number,
  upright = false,
  change: Partial<Tile> = {},
): Tile {
  return {
    participant: view,
    stream: upright ? cameraStream(720, 1280, who) : cameraStream(1280, 720, who),
    videoOn: view.camera,
    audioOn: view.microphone,
    speaking: who === 0,
    picture: view.camera ? 'live' : 'off',
    size: view.camera ? { width: 1280, height: 720, fps: 24 } : null,
    quality: peerQuality(view.quality),
    blame: view.quality === 'good' ? 'none' : 'peer',
    ...change,
  }
}

function peerQuality(level: QualityLevel): PeerQuality {
  if (level === 'good') {
    return { level, cause: 'none', reason: 'none', affects: 'none', facts: null }
  }
  return { level, cause: 'peer', reason: 'loss', affects: 'sending', facts: null }
}

export const LEVELS: QualityLevel[] = ['good', 'fair', 'poor', 'lost']
