/** What `getStats` says about the path, boiled down; differences are taken between two calls. */

export interface PathSample {
  /** Null until the browser measured it. */
  rttMs: number | null
  /** Share of packets lost, the worse of both ways, since the sample before. */
  lossRatio: number
  jitterMs: number
  /** What the browser believes it can send; null without an estimate. */
  sendableBps: number | null
  /** Our encoder is held back by this machine. */
  cpuLimited: boolean
  /** Bytes that came over the path since the sample before, checks of the path included. */
  arrivedBytes: number
}

interface Totals {
  received: number
  lost: number
  bytes: number
}

type Report = Record<string, unknown> & { type: string }

/** Turns successive reports into samples. A first sample has no differences yet. */
export class StatsReader {
  #before: Totals | null = null

  read(report: RTCStatsReport): PathSample {
    const reports = [...report.values()] as Report[]
    const pair = activePair(reports)
    const totals = { ...inboundTotals(reports), bytes: number(pair?.bytesReceived) ?? 0 }
    const before = this.#before ?? totals
    this.#before = totals
    const received = Math.max(0, totals.received - before.received)
    const lost = Math.max(0, totals.lost - before.lost)
    const seconds = number(pair?.currentRoundTripTime)
    return {
      rttMs: seconds === null ? null : seconds * 1000,
      lossRatio: Math.max(lost + received ? lost / (lost + received) : 0, uplinkLoss(reports)),
      jitterMs: 1000 * Math.max(0, ...inbound(reports).map((one) => number(one.jitter) ?? 0)),
      sendableBps: number(pair?.availableOutgoingBitrate),
      cpuLimited: reports.some(
        (one) => one.type === 'outbound-rtp' && one.qualityLimitationReason === 'cpu',
      ),
      arrivedBytes: Math.max(0, totals.bytes - before.bytes),
    }
  }
}

const inbound = (reports: Report[]): Report[] =>
  reports.filter((one) => one.type === 'inbound-rtp' && (number(one.packetsReceived) ?? 0) > 0)

function inboundTotals(reports: Report[]): Omit<Totals, 'bytes'> {
  const sum = (field: string): number =>
    inbound(reports).reduce((total, one) => total + (number(one[field]) ?? 0), 0)
  return { received: sum('packetsReceived'), lost: sum('packetsLost') }
}

/** What the server reported of our packets in its last receiver reports. */
function uplinkLoss(reports: Report[]): number {
  const told = reports
    .filter((one) => one.type === 'remote-inbound-rtp')
    .map((one) => number(one.fractionLost) ?? 0)
  return Math.min(1, Math.max(0, ...told))
}

function activePair(reports: Report[]): Report | undefined {
  const pairs = reports.filter((one) => one.type === 'candidate-pair')
  return pairs.find((one) => one.nominated === true && one.state === 'succeeded') ?? pairs[0]
}

const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null
