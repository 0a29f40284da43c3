import { request } from './http'
import { Observable } from './observable'
import { ProblemError, toProblem } from './problem'
import type { HrInterview, HrNotices } from './protocol'
import { ReconnectingSocket } from './reconnecting'
import type { OpenSocket } from './socket'
import type { CreatedInterview, HrActions, HrClientState, NewInterview } from './types'

const SIGNED_OUT = new Set(['unauthenticated', 'token_invalid', 'http_401'])

/** HR's side: signs in by link or cookie, follows the live list, gives out links. */
export class HrClient extends Observable<HrClientState> implements HrActions {
  readonly #socket: ReconnectingSocket

  constructor(openSocket: OpenSocket) {
    super({ state: 'loading', interviews: [], error: null })
    this.#socket = new ReconnectingSocket(openSocket, {
      credentials: () => Promise.resolve({}), // the session cookie speaks for us
      notices: {
        interviews: (body: HrNotices['interviews']) => this.#all(body.interviews),
        interview: (body: HrNotices['interview']) => this.#one(body.interview),
      },
      onDown: () => this.update({ state: 'offline' }),
      onRefused: (problem) => this.#refused(problem),
    })
  }

  async open(link?: string): Promise<boolean> {
    this.update({ state: 'loading', error: null })
    try {
      if (link) await request('POST', `/api/links/${encodeURIComponent(link)}/redeem`, {})
      else await request('GET', '/api/session')
    } catch (error) {
      this.#refused(error)
      return false
    }
    this.#socket.open()
    return true
  }

  async newLink(interview: string, participant: string): Promise<string | null> {
    const path = `${participantPath(interview, participant)}/link`
    const answer = await this.#try<{ link: string }>(() => request('POST', path, {}))
    return answer && linkUrl(answer.link)
  }

  async release(interview: string, participant: string): Promise<boolean> {
    const path = `${participantPath(interview, participant)}/release`
    return (await this.#try(async () => (await request('POST', path, {})) ?? {})) !== null
  }

  async createInterview(interview: NewInterview): Promise<CreatedInterview | null> {
    const made = await this.#try<CreatedInterview>(() =>
      request('POST', '/api/interviews', interview),
    )
    if (!made) return null
    const participants = made.participants.map(({ id, name, role, link }) => ({
      id,
      name,
      role,
      link: linkUrl(link),
    }))
    return { id: made.id, participants }
  }

  dismissError(): void {
    this.update({ error: null })
  }

  close(): void {
    this.#socket.close()
  }

  #all(interviews: HrInterview[]): void {
    this.update({ state: 'live', interviews })
  }

  #one(changed: HrInterview): void {
    const { interviews } = this.state
    const known = interviews.some(({ id }) => id === changed.id)
    this.update({
      interviews: known
        ? interviews.map((one) => (one.id === changed.id ? changed : one))
        : [changed, ...interviews],
    })
  }

  #refused(error: unknown): void {
    const problem = toProblem(error)
    const signedOut = SIGNED_OUT.has(problem.code) || problem.code.startsWith('link_')
    this.update({ state: signedOut ? 'signed_out' : 'offline', error: problem })
  }

  async #try<Answer>(work: () => Promise<Answer>): Promise<Answer | null> {
    try {
      return await work()
    } catch (error) {
      this.update({ error: toProblem(error) })
      if (error instanceof ProblemError && SIGNED_OUT.has(error.code)) {
        this.update({ state: 'signed_out' })
      }
      return null
    }
  }
}

function participantPath(interview: string, participant: string): string {
  const [first, second] = [interview, participant].map(encodeURIComponent)
  return `/api/interviews/${first}/participants/${second}`
}

/** The API gives whole URLs, or the link's secret where it does not know its own address. */
function linkUrl(link: string): string {
  return /^https?:/.test(link) ? link : `${location.origin}/i/${link}`
}
