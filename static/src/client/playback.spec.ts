import { expect, test, vi } from 'vitest'

import { playback, showStream } from './playback'

const flush = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

function video(play: () => Promise<void>): HTMLVideoElement {
  return { srcObject: null, play } as unknown as HTMLVideoElement
}

test('the same stream again does not restart the picture', () => {
  const play = vi.fn().mockResolvedValue(undefined)
  const element = video(play)
  const stream = {} as MediaStream
  showStream(element, stream)
  showStream(element, stream)
  expect(play).toHaveBeenCalledOnce()
})

test('a browser that wants a touch first is obeyed, and tried again at the touch', async () => {
  const refused = Object.assign(new Error(), { name: 'NotAllowedError' })
  const play = vi.fn<() => Promise<void>>().mockRejectedValueOnce(refused).mockResolvedValue()
  showStream(video(play), {} as MediaStream)
  await flush()
  expect(playback.state.blocked).toBe(true)
  document.dispatchEvent(new Event('pointerup'))
  await flush()
  expect(play).toHaveBeenCalledTimes(2)
  expect(playback.state.blocked).toBe(false)
})

test('an element that goes away no longer asks for a touch', async () => {
  const refused = Object.assign(new Error(), { name: 'NotAllowedError' })
  const element = video(vi.fn().mockRejectedValue(refused))
  showStream(element, {} as MediaStream)
  await flush()
  showStream(element, null)
  expect(playback.state.blocked).toBe(false)
})

test('a source exchanged before it played is no refusal', async () => {
  const aborted = Object.assign(new Error(), { name: 'AbortError' })
  showStream(video(vi.fn().mockRejectedValue(aborted)), {} as MediaStream)
  await flush()
  expect(playback.state.blocked).toBe(false)
})
