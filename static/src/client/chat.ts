import type { ChatView } from './protocol'
import type { ChatLine } from './types'

/** A line of ours that the room has not shown us yet. */
interface Pending {
  key: string
  text: string
  atMs: number
  failed: boolean
  /** The id under which the room knows it, once acknowledged. */
  id: string | null
}

/** The room's lines and ours that are still on the way, in the order in which they were said. */
export class ChatLog {
  #pending: Pending[] = []
  #readUpTo: string | null = null
  #open = false

  /** Returns the key that makes a retry harmless. */
  begin(text: string, nowMs: number): string {
    const key = newKey()
    this.#pending.push({ key, text, atMs: nowMs, failed: false, id: null })
    return key
  }

  accepted(key: string, id: string): void {
    for (const one of this.#pending) if (one.key === key) one.id = id
  }

  failed(key: string): void {
    for (const one of this.#pending) if (one.key === key) one.failed = true
  }

  /** The same text again takes the place of the one that failed. */
  forgetFailed(text: string): void {
    this.#pending = this.#pending.filter((one) => !one.failed || one.text !== text)
  }

  /** What was said but not acknowledged: to be sent again after a reconnect. */
  unsent(): { key: string; text: string }[] {
    return this.#pending.filter((one) => one.id === null && !one.failed)
  }

  clear(): void {
    this.#pending = []
    this.#readUpTo = null
  }

  lines(said: ChatView[], me: string, myName: string): ChatLine[] {
    this.#pending = this.#pending.filter((one) => !said.some(({ id }) => id === one.id))
    return [
      ...said.map((line): ChatLine => ({
        ...line,
        mine: line.participant === me,
        state: 'sent',
      })),
      ...this.#pending.map((one): ChatLine => ({
        id: `pending-${one.key}`,
        participant: me,
        name: myName,
        text: one.text,
        at_ms: one.atMs,
        mine: true,
        state: one.failed ? 'failed' : 'sending',
      })),
    ]
  }

  /** We came into a room: what was said before we did is not news. */
  arrive(said: ChatView[]): void {
    this.#readUpTo = said[said.length - 1]?.id ?? null
  }

  read(open: boolean): void {
    this.#open = open
  }

  /** How many lines of others came since the chat was last open. */
  unread(said: ChatView[], me: string): number {
    const last = said[said.length - 1]
    if (this.#open && last) this.#readUpTo = last.id
    const seen = said.findIndex(({ id }) => id === this.#readUpTo)
    return said.slice(seen + 1).filter(({ participant }) => participant !== me).length
  }
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
