/** What a room tells in words: arrivals, departures, muting, chat and sharing, as short notes. */
import { watch } from 'vue'
import { useI18n } from 'vue-i18n'

import { useDevices } from '../../store/devices'
import { useInterview } from '../../store/interview'
import type { Toasts } from '../../ui/overlay/toasts'

/** A person who left or came within this time of our own move was moved with us. */
const SETTLING_MS = 1_500
const CHAT_PREVIEW_CHARS = 60

function shortened(text: string): string {
  const characters = Array.from(text.replace(/\s+/g, ' '))
  if (characters.length <= CHAT_PREVIEW_CHARS) return characters.join('')
  return `${characters.slice(0, CHAT_PREVIEW_CHARS).join('')}…`
}

/** Says where we have come to: after an admission or a hand-over. */
export function useArrivalNotes(toasts: Toasts): void {
  const { t } = useI18n()
  const interview = useInterview()

  watch(
    // Three sources, not one list: a list is new at every update and would say it again each time.
    [() => interview.room?.id, () => interview.room?.placement, () => interview.arrival] as const,
    ([, placement, arrival]) => {
      const round = interview.room?.round.title ?? ''
      if (arrival === 'taken_back') toasts.show(t('room.takenBack', { round }))
      else if (placement !== 'room') return
      else if (arrival === 'admitted') toasts.show(t('room.admitted'))
      else if (arrival === 'handed_over') toasts.show(handedOver(round))
    },
    { immediate: true },
  )

  function handedOver(round: string): string {
    const host = interview.participants.find((person) => person.role === 'interviewer')
    return host
      ? t('room.handedOverWith', { round, name: host.name })
      : t('room.handedOver', { round })
  }
}

/** Says who comes and goes; quiet while we are moved ourselves. */
export function usePeopleNotes(toasts: Toasts): void {
  const { t } = useI18n()
  const interview = useInterview()
  let quietUntilMs = Date.now() + SETTLING_MS

  watch(
    () => interview.room?.id,
    () => {
      quietUntilMs = Date.now() + SETTLING_MS
    },
  )
  watch(
    () => new Map(interview.participants.map((person) => [person.id, person.name])),
    (now, before) => {
      if (Date.now() < quietUntilMs) return
      for (const [id, name] of now) {
        if (!before.has(id)) toasts.show(t('interviewer.entered', { name }))
      }
      for (const [id, name] of before) {
        const handedOver = interview.canTakeBack?.participant === id
        if (!now.has(id) && !handedOver) toasts.show(t('interviewer.left', { name }))
      }
    },
  )
}

/** Says that another switched our microphone off: it must not go unnoticed. */
export function useMutedNote(toasts: Toasts): { byMyself(): void } {
  const { t } = useI18n()
  const devices = useDevices()
  let mine = false

  watch(
    () => devices.microphone.on,
    (on, before) => {
      if (before && !on && !mine && devices.problem === null) {
        toasts.show(t('room.mutedByOther'), { tone: 'warn', forMs: 8_000 })
      }
      mine = false
    },
  )
  return {
    byMyself: () => {
      mine = true
    },
  }
}

/** Shows a new message's first words while the chat is closed. */
export function useChatNotes(toasts: Toasts, isOpen: () => boolean): void {
  const { t } = useI18n()
  const interview = useInterview()

  watch(
    () => interview.chat[interview.chat.length - 1],
    (line, before) => {
      if (!line || line.mine || isOpen() || line.id === before?.id || interview.unread === 0) return
      toasts.show(t('chat.new', { name: line.name, text: shortened(line.text) }))
    },
  )
}
