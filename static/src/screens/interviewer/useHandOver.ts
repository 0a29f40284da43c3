/** Handing the candidate on: one click, then a while in which it can be undone. */
import { computed, type ComputedRef } from 'vue'

import type { ParticipantView, RoundView } from '../../client/protocol'
import { useInterview } from '../../store/interview'

export interface HandOver {
  readonly candidate: ComputedRef<ParticipantView | null>
  readonly next: ComputedRef<RoundView | null>
  readonly possible: ComputedRef<boolean>
  handOver(): Promise<void>
  takeBack(): Promise<void>
}

export function useHandOver(): HandOver {
  const interview = useInterview()
  const next = computed(() => interview.nextRound)

  const candidate = computed(
    () =>
      [...interview.participants, ...interview.waiting].find(
        (person) => person.role === 'candidate',
      ) ?? null,
  )
  const possible = computed(() => Boolean(candidate.value && next.value))

  async function handOver(): Promise<void> {
    if (candidate.value && next.value) await interview.handOver(candidate.value.id)
  }

  async function takeBack(): Promise<void> {
    if (interview.canTakeBack) await interview.takeBack(interview.canTakeBack.participant)
  }

  return { candidate, next, possible, handOver, takeBack }
}
