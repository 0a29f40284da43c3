/** What `getStats` says about our path, boiled down; differences are taken between two calls. */
import { EntryDifferences, list, number, type Entry } from './stats_entries'

export type PathKind = 'udp' | 'tcp' | 'relay'
export type Limitation = 'none' | 'bandwidth' | 'cpu' | 'other'

/** What one slot drew since the sample before. */
export interface SlotSample {
  mid: string
  width: number
  height: number
  fps: number
  frames: number
  freezes: number
  frozenMs: number
}

export interface SentPicture {
  width: number
  height: number
  fps: number
}

export interface PathSample {
  /** Null until the browser measured it. */
  rttMs: number | null
  /** Share of our packets that the server missed; null while unknown, or too few were sent. */
  lossUpRatio: number | null
  /** Share of the server's packets that we missed; null while there were too few. */
  lossDownRatio: number | null
  jitterMs: number | null
  /** What the browser believes it can send; null without an estimate. */
  sendableBps: number | null
  sentBps: number
  receivedBps: number
  /** Why the camera's encoder sends less than it might. */
  limitedBy: Limitation
  /** The largest picture of our camera that goes out; null while none does. */
  sent: SentPicture | null
  /** Sound played since the sample before, in samples, and how much of it was made up. */
  playedSamples: number
  concealedSamples: number
  /** Bytes that came over the path since the sample before, checks of the path included. */
  arrivedBytes: number
  path: PathKind | null
  /** Null from a browser that does not say which slot a stream belongs to. */
  slots: SlotSample[] | null
}

const UPLINK_FIELDS = ['packetsSent'] as const
const DOWNLINK_FIELDS = [
  'packetsReceived',
  'packetsLost',
  'framesDecoded',
  'freezeCount',
  'totalFreezesDuration',
  'totalSamplesReceived',
  'concealedSamples',
  'silentConcealedSamples',
] as const

type Since = Record<(typeof DOWNLINK_FIELDS)[number], number>

interface Received {
  entry: Entry
  since: Since
}

/** Of fewer packets a share says nothing: one lost in a pause of speech would be a third. */
const PACKETS_TO_JUDGE = 10

/** Turns successive reports into samples. A first sample has no differences yet. */
export class StatsReader {
  readonly #uplink = new EntryDifferences(UPLINK_FIELDS)
  readonly #downlink = new EntryDifferences(DOWNLINK_FIELDS)
  readonly #pair = new EntryDifferences(['bytesSent', 'bytesReceived'] as const)

  read(report: RTCStatsReport): PathSample {
    const entries = list(report)
    const pair = activePair(entries)
    const through = pair && this.#pair.take(pair)
    const received = entries
      .filter((one) => one.type === 'inbound-rtp')
      .map((entry): Received => ({ entry, since: this.#downlink.take(entry) }))
    const camera = cameraLayers(entries)
    const seconds = number(pair?.currentRoundTripTime)
    return {
      rttMs: seconds === null ? null : seconds * 1000,
      lossUpRatio: this.#uplinkLoss(entries),
      lossDownRatio: downlinkLoss(received),
      jitterMs: jitter(received),
      sendableBps: number(pair?.availableOutgoingBitrate),
      sentBps: through ? through.perSecond('bytesSent') * 8 : 0,
      receivedBps: through ? through.perSecond('bytesReceived') * 8 : 0,
      limitedBy: limitation(camera),
      sent: largest(camera),
      ...sound(received),
      arrivedBytes: through?.bytesReceived ?? 0,
      path: pair ? pathKind(entries, pair) : null,
      slots: slotSamples(received),
    }
  }

  /**
   * What the server reported of our packets in its last receiver reports, weighed by what was
   * sent since: a layer that is paused keeps its last loss for ever.
   */
  #uplinkLoss(entries: Entry[]): number | null {
    const sent = new Map(
      entries
        .filter((one) => one.type === 'outbound-rtp')
        .map((one) => [one.id, this.#uplink.take(one).packetsSent]),
    )
    let packets = 0
    let lost = 0
    for (const told of entries.filter((one) => one.type === 'remote-inbound-rtp')) {
      const share = number(told.fractionLost)
      const count = sent.get(String(told.localId)) ?? 0
      if (share === null || count <= 0) continue
      packets += count
      lost += count * Math.min(1, Math.max(0, share))
    }
    return packets >= PACKETS_TO_JUDGE ? lost / packets : null
  }
}

function downlinkLoss(received: Received[]): number | null {
  const sum = (field: 'packetsReceived' | 'packetsLost'): number =>
    received.reduce((total, { since }) => total + since[field], 0)
  // A packet that comes after all is taken off the lost ones again.
  const lost = Math.max(0, sum('packetsLost'))
  const all = lost + sum('packetsReceived')
  return all >= PACKETS_TO_JUDGE ? lost / all : null
}

/** Of voices if there are any: a picture's packets leave in bursts, which is no jitter. */
function jitter(received: Received[]): number | null {
  const live = received.filter(({ since }) => since.packetsReceived > 0)
  const voices = live.filter(({ entry }) => entry.kind === 'audio')
  const values = (voices.length ? voices : live)
    .map(({ entry }) => number(entry.jitter))
    .filter((value) => value !== null)
  return values.length ? 1000 * Math.max(...values) : null
}

function sound(received: Received[]): Pick<PathSample, 'playedSamples' | 'concealedSamples'> {
  let playedSamples = 0
  let concealedSamples = 0
  for (const { entry, since } of received) {
    if (entry.kind !== 'audio') continue
    playedSamples += since.totalSamplesReceived
    // What is made up while the other is silent (DTX) is not heard as a fault.
    concealedSamples += Math.max(0, since.concealedSamples - since.silentConcealedSamples)
  }
  return { playedSamples, concealedSamples }
}

function slotSamples(received: Received[]): SlotSample[] | null {
  if (received.some(({ entry }) => typeof entry.mid !== 'string')) return null
  return received
    .filter(({ entry }) => entry.kind === 'video')
    .map(({ entry, since }) => ({
      mid: String(entry.mid),
      width: number(entry.frameWidth) ?? 0,
      height: number(entry.frameHeight) ?? 0,
      fps: number(entry.framesPerSecond) ?? 0,
      frames: since.framesDecoded,
      freezes: since.freezeCount,
      frozenMs: Math.round(since.totalFreezesDuration * 1000),
    }))
}

/** Only the camera is sent in layers with names; a browser without names sends one stream. */
function cameraLayers(entries: Entry[]): Entry[] {
  const pictures = entries.filter((one) => one.type === 'outbound-rtp' && one.kind === 'video')
  const named = pictures.filter((one) => one.rid !== undefined)
  return (named.length ? named : pictures).filter((one) => one.active !== false)
}

function limitation(camera: Entry[]): Limitation {
  const reasons = camera.map((one) => one.qualityLimitationReason)
  const known = (['cpu', 'bandwidth', 'other'] as const).find((one) => reasons.includes(one))
  return known ?? 'none'
}

function largest(camera: Entry[]): SentPicture | null {
  const pictures = camera
    .map((one) => ({
      width: number(one.frameWidth) ?? 0,
      height: number(one.frameHeight) ?? 0,
      fps: number(one.framesPerSecond) ?? 0,
    }))
    .filter(({ width, fps }) => width > 0 && fps > 0)
  return pictures.sort((one, other) => other.width - one.width)[0] ?? null
}

function activePair(entries: Entry[]): Entry | undefined {
  const transport = entries.find((one) => one.type === 'transport')
  const pairs = entries.filter((one) => one.type === 'candidate-pair')
  return (
    pairs.find((one) => one.id === transport?.selectedCandidatePairId) ??
    pairs.find((one) => one.nominated === true && one.state === 'succeeded') ??
    pairs[0]
  )
}

function pathKind(entries: Entry[], pair: Entry): PathKind | null {
  const local = entries.find((one) => one.id === pair.localCandidateId)
  if (!local) return null
  if (local.candidateType === 'relay') return 'relay'
  return local.protocol === 'tcp' ? 'tcp' : 'udp'
}
