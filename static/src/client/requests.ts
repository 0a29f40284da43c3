import type { Commands } from './protocol'

type Body<Name extends keyof Commands> = Commands[Name]['body']
type Reply<Name extends keyof Commands> = Commands[Name]['reply']

/** What carries a command to the server. */
export interface CommandLine {
  /** Throws `ProblemError`: the server's refusal, `offline` or `timeout`. */
  command<Name extends keyof Commands>(
    name: Name,
    body: Body<Name>,
    timeoutMs?: number,
  ): Promise<Reply<Name>>
}

/** Commands in a person's name: a refusal is told to the person, not to the caller. */
export class Requests {
  readonly #line: CommandLine
  /** Show the person what went wrong. */
  readonly tell: (error: unknown) => void

  constructor(line: CommandLine, tell: (error: unknown) => void) {
    this.#line = line
    this.tell = tell
  }

  /** For a caller that judges the refusal by itself: throws as the line does. */
  send<Name extends keyof Commands>(
    name: Name,
    body: Body<Name>,
    timeoutMs?: number,
  ): Promise<Reply<Name>> {
    return this.#line.command(name, body, timeoutMs)
  }

  /** The reply, or null after a refusal. */
  async ask<Name extends keyof Commands>(
    name: Name,
    body: Body<Name>,
  ): Promise<Reply<Name> | null> {
    try {
      return await this.send(name, body)
    } catch (error) {
      this.tell(error)
      return null
    }
  }

  /** Whether the server accepted it. */
  async did<Name extends keyof Commands>(name: Name, body: Body<Name>): Promise<boolean> {
    return (await this.ask(name, body)) !== null
  }
}
