import { onBeforeUnmount, onMounted } from 'vue'

import { isTyping, shortcutFor, type Shortcut } from './shortcuts'

/** Calls `run` for each shortcut pressed while the component lives. */
export function useShortcuts(run: (shortcut: Shortcut) => void): void {
  function onKey(event: KeyboardEvent): void {
    const shortcut = shortcutFor(event, isTyping(event.target))
    if (!shortcut) return
    event.preventDefault()
    run(shortcut)
  }

  onMounted(() => document.addEventListener('keydown', onKey))
  onBeforeUnmount(() => document.removeEventListener('keydown', onKey))
}
