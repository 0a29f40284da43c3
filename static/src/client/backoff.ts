/** How long to wait before the next attempt to reach the server again. */

const FIRST_MAX_MS = 300
const STEP_MS = 1_000
const LONGEST_MS = 8_000
const SPREAD = 0.2

/**
 * At once (with jitter, lest a whole room knocks in the same instant), then 1, 2, 4, 8, 8 … s.
 *
 * `attempt` counts from 0; `random` draws from [0, 1).
 */
export function retryDelayMs(attempt: number, random: () => number = Math.random): number {
  if (attempt === 0) return random() * FIRST_MAX_MS
  const exact = Math.min(STEP_MS * 2 ** (attempt - 1), LONGEST_MS)
  return exact * (1 + (random() * 2 - 1) * SPREAD)
}
