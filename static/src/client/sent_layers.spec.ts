import { beforeEach, expect, test } from 'vitest'

import { SentLayers } from './sent_layers'
import {
  UNLIMITED,
  cameraEncodings,
  offeredEncodings,
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
  }
  layers = new SentLayers(strictSender(), (size, demand) =>
    cameraEncodings('strong_desktop', size, demand),
  )
})

const track = (width: number, height: number): MediaStreamTrack =>
  new FakeTrack('video', { width, height }) as unknown as MediaStreamTrack
const watched = (...rids: Rid[]): { wanted: ReadonlySet<Rid> } => ({ wanted: new Set(rids) })
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
