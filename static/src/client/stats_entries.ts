/** Entries of a stats report, and what changed in each since the report before. */

export type Entry = Record<string, unknown> & { type: string; id: string }

export function list(report: RTCStatsReport): Entry[] {
  return [...report.entries()].map(([id, entry]) => ({ id, ...(entry as object) }) as Entry)
}

export const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null

type Counted<Field extends string> = Record<Field, number>

export type Difference<Field extends string> = Counted<Field> & {
  /** Growth a second; 0 in a first sample. */
  perSecond(field: Field): number
}

interface Before<Field extends string> {
  counts: Counted<Field>
  atMs: number
}

/** Growth of some counters, entry by entry: 0 when an entry is new, or began to count again. */
export class EntryDifferences<Field extends string> {
  readonly #fields: readonly Field[]
  readonly #before = new Map<string, Before<Field>>()

  constructor(fields: readonly Field[]) {
    this.#fields = fields
  }

  take(entry: Entry): Difference<Field> {
    const counts = this.#counts((field) => number(entry[field]) ?? 0)
    const atMs = number(entry.timestamp) ?? 0
    const before = this.#before.get(entry.id) ?? { counts, atMs }
    this.#before.set(entry.id, { counts, atMs })
    const grown = this.#counts((field) => growth(field, counts[field] - before.counts[field]))
    const seconds = (atMs - before.atMs) / 1000
    return { ...grown, perSecond: (field) => (seconds > 0 ? grown[field] / seconds : 0) }
  }

  #counts(value: (field: Field) => number): Counted<Field> {
    const pairs = this.#fields.map((field) => [field, value(field)] as const)
    return Object.fromEntries(pairs) as Counted<Field>
  }
}

/** Of all counters only that of lost packets may shrink: one of them came late. */
const growth = (field: string, by: number): number =>
  field === 'packetsLost' ? by : Math.max(0, by)
