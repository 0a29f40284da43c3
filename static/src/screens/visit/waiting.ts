import type { ProblemCode } from '../problem/problems'

const ASKED_EVERY_MS = 4_000
const OFFLINE_EVERY_MS = 5_000
const EARLY_AT_MOST_MS = 30_000
const EARLY_AT_LEAST_MS = 1_000

/** When to look at the link again by itself; null if only the person can change anything. */
export function lookAgainMs(
  code: ProblemCode | null,
  asked: boolean,
  startsAt: string | undefined,
  nowMs: number,
): number | null {
  if (code === 'other_device') return asked ? ASKED_EVERY_MS : null
  if (code === 'offline') return OFFLINE_EVERY_MS
  if (code !== 'early') return null
  const left = Date.parse(startsAt ?? '') - nowMs
  if (!Number.isFinite(left)) return EARLY_AT_MOST_MS
  return Math.min(EARLY_AT_MOST_MS, Math.max(EARLY_AT_LEAST_MS, left))
}
