/** The interviewer's keys. Pure: which action a key asks for, if any. */
import type { ReactionName } from '../../client/protocol'
import { REACTIONS } from '../../ui/reaction/reactions'

export type ShortcutAction =
  'microphone' | 'camera' | 'screen' | 'chat' | 'admit' | 'handOver' | 'help'

export type Shortcut =
  | { readonly action: ShortcutAction }
  | { readonly action: 'react'; readonly reaction: ReactionName }

const KEYS = new Map<string, ShortcutAction>(
  Object.entries({
    m: 'microphone',
    v: 'camera',
    s: 'screen',
    c: 'chat',
    a: 'admit',
    h: 'handOver',
    '?': 'help',
    '？': 'help',
  }),
)

export interface PressedKey {
  readonly key: string
  readonly repeat: boolean
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly isComposing: boolean
}

/** Null while one types, holds a key down, or means a key of the browser. */
export function shortcutFor(pressed: PressedKey, typing: boolean): Shortcut | null {
  if (typing || pressed.repeat || pressed.isComposing) return null
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return null
  const action = KEYS.get(pressed.key.toLowerCase())
  if (action) return { action }
  const reaction = /^[1-9]$/.test(pressed.key) ? REACTIONS[Number(pressed.key) - 1] : undefined
  return reaction ? { action: 'react', reaction } : null
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}
