import { afterEach, expect, test, vi } from 'vitest'

import { preferRedundantAudio, redundantFirst } from './codecs'

const codec = (mimeType: string): { mimeType: string } => ({ mimeType })
const CHROMIUM = ['audio/opus', 'audio/red', 'audio/G722', 'audio/PCMU', 'audio/CN'].map(codec)

afterEach(() => vi.unstubAllGlobals())

test('RED comes first, Opus second, the rest as it was', () => {
  expect(redundantFirst(CHROMIUM)?.map(({ mimeType }) => mimeType)).toEqual([
    'audio/red',
    'audio/opus',
    'audio/G722',
    'audio/PCMU',
    'audio/CN',
  ])
})

test('a browser without RED keeps its own order', () => {
  expect(redundantFirst([codec('audio/opus'), codec('audio/PCMU')])).toBeNull()
})

test('a browser that knows no preferences, or refuses them, sends what it likes', () => {
  const transceiver = { setCodecPreferences: vi.fn() } as unknown as RTCRtpTransceiver
  preferRedundantAudio(transceiver)
  vi.stubGlobal('RTCRtpSender', { getCapabilities: () => ({ codecs: CHROMIUM }) })
  preferRedundantAudio({} as RTCRtpTransceiver)
  expect(transceiver.setCodecPreferences).not.toHaveBeenCalled()
  preferRedundantAudio(transceiver)
  expect(transceiver.setCodecPreferences).toHaveBeenCalledOnce()
})
