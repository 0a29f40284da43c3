/** What the candidate's and the interviewer's room share: the chat's door, notes and sound. */
import { computed, onBeforeUnmount, ref, watch, type ComputedRef, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'

import type { ReactionName } from '../../client/protocol'
import type { ShownReaction } from '../../client/types'
import { useInterview } from '../../store/interview'
import { usePlayback } from '../../store/stream'
import { createToasts, type Toasts } from '../../ui/overlay/toasts'
import { refusalKey } from './refusals'
import { useArrivalNotes, useChatNotes, useMutedNote } from './roomNotes'

export interface Room {
  readonly toasts: Toasts
  readonly chatOpen: Ref<boolean>
  readonly soundBlocked: Readonly<Ref<boolean>>
  readonly mine: ComputedRef<ShownReaction[]>
  openChat(open: boolean): void
  toggleMicrophone(): Promise<void>
  toggleCamera(): Promise<void>
  react(name: ReactionName): void
}

export function useRoom(): Room {
  const { t } = useI18n()
  const interview = useInterview()
  const toasts = createToasts()
  const chatOpen = ref(false)
  const playback = usePlayback()
  const soundBlocked = computed(() => playback.blocked)
  const mine = computed(() => interview.reactions.filter((reaction) => reaction.mine))
  const muted = useMutedNote(toasts)

  useArrivalNotes(toasts)
  useChatNotes(toasts, () => chatOpen.value)

  function openChat(open: boolean): void {
    chatOpen.value = open
    interview.readChat(open)
  }

  async function toggleMicrophone(): Promise<void> {
    muted.byMyself()
    await interview.toggleMicrophone()
  }

  async function toggleCamera(): Promise<void> {
    await interview.toggleCamera()
  }

  watch(
    () => interview.error,
    (error) => {
      if (!error) return
      toasts.show(t(refusalKey(error.code)), { tone: 'warn' })
      interview.dismissError()
    },
  )
  onBeforeUnmount(() => interview.readChat(false))

  return {
    toasts,
    chatOpen,
    soundBlocked,
    mine,
    openChat,
    toggleMicrophone,
    toggleCamera,
    react: (name) => void interview.react(name),
  }
}
