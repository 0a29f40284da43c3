import { request } from './http'
import { Observable } from './observable'
import { ProblemError } from './problem'
import type { LinkActions, LinkClientState, LinkInfo, LinkState } from './types'

/** A participant's admission: a join token for the socket, good once and for minutes. */
interface Redeemed {
  token: string | null
  expires_in: number
  participant: string | null
  interview: string | null
}

const STATES: Record<string, LinkState> = {
  link_early: 'early',
  link_expired: 'expired',
  link_revoked: 'revoked',
  link_ended: 'ended',
  link_other_device: 'other_device',
  link_unknown: 'unknown',
}

/** What an API error says about the link; null if it says nothing about it. */
function linkStateOf(error: unknown): LinkState | null {
  if (!(error instanceof ProblemError)) return null
  const known = STATES[error.code]
  if (known) return known
  if (['http_404', 'not_found', 'http_400', 'http_422'].includes(error.code)) return 'unknown'
  return null
}

/** The page's link: what it is for, whether it opens, and the tap that redeems it. */
export class LinkClient extends Observable<LinkClientState> implements LinkActions {
  #link: string | null = null

  constructor() {
    super({ state: 'loading', info: null, asked: false })
  }

  get secret(): string | null {
    return this.#link
  }

  async load(link: string): Promise<LinkState> {
    if (link !== this.#link) this.update({ state: 'loading', info: null, asked: false })
    this.#link = link
    try {
      const { state, ...info } = await request<LinkInfo & { state: LinkState }>('GET', this.#path())
      if (link === this.#link) this.update({ state, info })
    } catch (error) {
      if (link === this.#link) this.update({ state: linkStateOf(error) ?? 'offline' })
    }
    return this.state.state
  }

  /**
   * Bind the link to this device; resolves with a join token. Throws `ProblemError`; `state` then
   * says what the link is.
   */
  async redeem(): Promise<string> {
    try {
      const { token } = await request<Redeemed>('POST', `${this.#path()}/redeem`, {})
      if (token === null) throw new ProblemError('not_a_participant', 'this link is for HR')
      return token
    } catch (error) {
      const state = linkStateOf(error)
      if (state) this.update({ state })
      throw error
    }
  }

  async ask(): Promise<boolean> {
    try {
      await request('POST', `${this.#path()}/ask`, {})
      this.update({ asked: true })
      return true
    } catch {
      return false
    }
  }

  #path(): string {
    return `/api/links/${encodeURIComponent(this.#link ?? '')}`
  }
}
