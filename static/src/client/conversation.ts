import { ChatLog } from './chat'
import { OFFLINE, ProblemError, TIMEOUT } from './problem'
import { MAX_CHAT_CHARS } from './protocol'
import type { ChatView, ReactionName, RoomView, You } from './protocol'
import { RecentReactions } from './reactions'
import type { Requests } from './requests'
import type { InterviewState } from './types'

/** What people say and show to each other besides speaking: chat and reactions. */
export class Conversation {
  readonly #requests: Requests
  readonly #onChange: () => void
  readonly #chat = new ChatLog()
  readonly #reactions: RecentReactions

  constructor(requests: Requests, onChange: () => void) {
    this.#requests = requests
    this.#onChange = onChange
    this.#reactions = new RecentReactions(onChange)
  }

  async say(said: string): Promise<boolean> {
    const text = said.trim()
    if (!text) return false
    if (text.length > MAX_CHAT_CHARS) {
      this.#requests.tell(new ProblemError('chat_too_long', `at most ${MAX_CHAT_CHARS} characters`))
      return false
    }
    this.#chat.forgetFailed(text)
    return this.#send(this.#chat.begin(text, Date.now()), text)
  }

  /** After a reconnect: what was said meanwhile goes out. */
  sendUnsent(): void {
    for (const { key, text } of this.#chat.unsent()) void this.#send(key, text)
  }

  async react(name: ReactionName): Promise<boolean> {
    try {
      await this.#requests.send('reaction.send', { name })
      return true
    } catch (error) {
      // Tapping faster than the room takes is no mistake that needs words.
      const hasty = error instanceof ProblemError && error.code === 'reaction_limited'
      if (!hasty) this.#requests.tell(error)
      return false
    }
  }

  /** Somebody, perhaps we, reacted `ageMs` ago by the server's clock. */
  showReaction(room: RoomView, from: string, me: string, name: ReactionName, ageMs: number): void {
    const person = room.participants.find(({ id }) => id === from)
    this.#reactions.add({ id: from, name: person?.name ?? '', mine: from === me }, name, ageMs)
  }

  /** We came into a room: what was said before we did is not news. */
  arrive(said: ChatView[]): void {
    this.#chat.arrive(said)
  }

  read(open: boolean): void {
    this.#chat.read(open)
    this.#onChange()
  }

  clear(): void {
    this.#chat.clear()
    this.#reactions.clear()
  }

  draw(room: RoomView, me: You): Pick<InterviewState, 'chat' | 'unread' | 'reactions'> {
    return {
      chat: this.#chat.lines(room.chat, me.participant, me.name),
      unread: this.#chat.unread(room.chat, me.participant),
      reactions: this.#reactions.shown,
    }
  }

  async #send(key: string, text: string): Promise<boolean> {
    this.#onChange()
    try {
      const { id } = await this.#requests.send('chat.send', { key, text })
      this.#chat.accepted(key, id)
      return true
    } catch (error) {
      // Without a connection the line waits for the next one; a refusal is final.
      const waits = error instanceof ProblemError && [OFFLINE, TIMEOUT].includes(error.code)
      if (!waits) {
        this.#chat.failed(key)
        this.#requests.tell(error)
      }
      return false
    } finally {
      this.#onChange()
    }
  }
}
