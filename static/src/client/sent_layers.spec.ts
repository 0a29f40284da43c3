import { beforeEach, expect, test } from 'vitest'

import { SentLayers } from './sent_layers'
import {
  UNLIMITED,
  cameraEncodings,
  offeredEncodings,
  SCREEN_ENCODINGS,
  screenEncodings,
  type PictureDemand,
  type Rid,
  type ScalableEncoding,
} from './encodings'
import { FakeTrack } from './testing/fake_media'

interface Sender {
  encodings: ScalableEncoding[]
  /** Changes that the browser has not carried out yet. */
  pending: (() => void)[]
  changes: number
  refuses: boolean
  keeps: RTCDegradationPreference | undefined
}

let sender: Sender
let layers: SentLayers

/** As browsers do it: one change at a time, and only of parameters that were read since. */
function strictSender(): Pick<RTCRtpSender, 'getParameters' | 'setParameters'> {
  let busy = false
  let transaction = 0
  return {
    getParameters: () =>
      ({
        transactionId: String(++transaction),
        encodings: sender.encodings.map((one) => ({ ...one })),
      }) as RTCRtpSendParameters,
    setParameters: (parameters) => {
      if (busy || parameters.transactionId !== String(transaction)) {
        return Promise.reject(new DOMException('', 'InvalidStateError'))
      }
      if (sender.refuses) return Promise.reject(new DOMException('', 'OperationError'))
      busy = true
      return new Promise((resolve) => {
        sender.pending.push(() => {
          busy = false
          sender.changes += 1
          sender.encodings = parameters.encodings.map((one) => ({ ...one }))
          sender.keeps = parameters.degradationPreference
          resolve()
        })
      })
    },
  }
}

beforeEach(() => {
  sender = {
    encodings: offeredEncodings('strong_desktop', true),
    pending: [],
    changes: 0,
    refuses: false,
    keeps: undefined,
  }
  layers = new SentLayers(strictSender(), (size, demand) =>
    cameraEncodings('strong_desktop', size, demand),
  )
})

const track = (width: number, height: number): MediaStreamTrack =>
  new FakeTrack('video', { width, height }) as unknown as MediaStreamTrack
const watched = (...rids: Rid[]): Pick<PictureDemand, 'wanted'> => ({
  wanted: new Map(rids.map((rid) => [rid, null])),
})
/** What is asked for when `h` alone is watched, by somebody with so much room. */
const narrow = (bps: number | null): PictureDemand => ({
  ...UNLIMITED,
  wanted: new Map([['h', bps]]),
})
const bitrate = (rid: Rid): number | undefined =>
  sender.encodings.find((one) => one.rid === rid)?.maxBitrate
const active = (): string =>
  sender.encodings
    .filter((one) => one.active)
    .map(({ rid }) => rid)
    .join('')

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) {
    sender.pending.shift()?.()
    await Promise.resolve()
    await Promise.resolve()
  }
}

test('layers that nobody watches are paused, and sent again when somebody does', async () => {
  const done = layers.use(track(1920, 1080))
  void layers.ask({ ...UNLIMITED, ...watched('h') })
  await settle()
  await done
  expect(active()).toBe('h')
  void layers.ask({ ...UNLIMITED, ...watched('q', 'h', 'f') })
  await settle()
  expect(active()).toBe('qhf')
})

test('changes wait for each other, and only the last one counts', async () => {
  void layers.use(track(1280, 720))
  for (const rid of ['h', 'f', 'q'] as const) void layers.ask({ ...UNLIMITED, ...watched(rid) })
  expect(sender.pending).toHaveLength(1)
  await settle()
  expect(active()).toBe('q')
  expect(sender.changes).toBe(2)
})

test('what is as it should be is not touched', async () => {
  void layers.use(track(1920, 1080))
  await settle()
  const before = sender.changes
  await layers.fit()
  await layers.ask(UNLIMITED)
  expect(sender.changes).toBe(before)
})

test('a limit comes, changes and goes, and is not set anew while it stays', async () => {
  void layers.use(track(1920, 1080))
  await settle()
  for (const [limit, sent] of [
    [200_000, 200_000],
    [90_000, 90_000],
    [null, 1_500_000],
  ] as const) {
    void layers.ask(narrow(limit))
    await settle()
    expect(bitrate('h')).toBe(sent)
    const before = sender.changes
    await layers.ask(narrow(limit))
    await layers.fit()
    expect(sender.changes).toBe(before)
  }
  expect([bitrate('q'), bitrate('f')]).toEqual([400_000, 2_500_000])
})

test('the lowest layer keeps its size while it is sent alone and there is room for it', async () => {
  void layers.use(track(1920, 1080))
  await settle()
  expect(sender.keeps).toBeUndefined()
  for (const [rids, bps, keeps] of [
    [['q', 'h'], 300_000, undefined],
    [['h'], 300_000, undefined],
    [['q'], 300_000, 'maintain-resolution'],
    [['q'], 99_000, 'maintain-framerate'],
    [['q'], null, 'maintain-resolution'],
    [['q', 'f'], null, 'maintain-framerate'],
    [[], null, 'maintain-framerate'],
  ] as const) {
    void layers.ask({ ...UNLIMITED, wanted: new Map(rids.map((rid) => [rid, bps])) })
    await settle()
    expect(sender.keeps).toBe(keeps)
  }
})

test('a screen without layers is left to the browser', async () => {
  sender.encodings = SCREEN_ENCODINGS.map((one) => ({ ...one, active: true }))
  const screen = new SentLayers(strictSender(), screenEncodings)
  void screen.use(track(1920, 1080))
  void screen.ask({ ...UNLIMITED, wanted: new Map([['', 200_000]]) })
  await settle()
  expect(sender.encodings[0]?.maxBitrate).toBe(200_000)
  expect(sender.keeps).toBeUndefined()
})

test('a limit with a fraction is what browsers make of it, and not set again and again', async () => {
  void layers.use(track(1920, 1080))
  void layers.ask(narrow(123_456.7))
  await settle()
  expect(bitrate('h')).toBe(123_456)
})

test('while the browser is busy many limits become one change, to the last of them', async () => {
  void layers.use(track(1920, 1080))
  await settle()
  const before = sender.changes
  for (let bps = 50_000; bps < 150_000; bps += 100) void layers.ask(narrow(bps))
  expect(sender.pending).toHaveLength(1)
  await settle()
  expect(bitrate('h')).toBe(149_900)
  expect(sender.changes).toBe(before + 2)
})

test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
  'a limit that comes %i turns after the browser is done is not missed',
  async (turns) => {
    void layers.use(track(1920, 1080))
    await settle()
    void layers.ask(narrow(100_000))
    sender.pending.shift()?.()
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
    void layers.ask(narrow(80_000))
    await settle()
    expect(bitrate('h')).toBe(80_000)
  },
)

test('a track that does not tell its size does not stop what comes after', async () => {
  const broken = track(1920, 1080)
  broken.getSettings = () => {
    throw new DOMException('', 'InvalidStateError')
  }
  await layers.use(broken)
  void layers.use(track(1920, 1080))
  void layers.ask(narrow(80_000))
  await settle()
  expect(bitrate('h')).toBe(80_000)
})

test('a refusal is no error, and the next look tries again', async () => {
  sender.refuses = true
  await layers.use(track(640, 360))
  expect(active()).toBe('qhf')
  sender.refuses = false
  void layers.fit()
  await settle()
  expect(active()).toBe('qh')
})

test('the temporal layers that were agreed on stay', async () => {
  void layers.use(track(1280, 720))
  await settle()
  expect(sender.encodings.map((one) => one.scalabilityMode)).toEqual(['L1T3', 'L1T3', 'L1T3'])
})

test('without a camera nothing is asked of the browser', async () => {
  await layers.ask({ ...UNLIMITED, ...watched('q') })
  await layers.use(null)
  expect(sender.pending).toHaveLength(0)
})
