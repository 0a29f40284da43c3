import type { Problem } from './types'

/** A refusal or failure with a stable code, as the server or the SDK names it. */
export class ProblemError extends Error {
  readonly code: string
  readonly remedy: string

  constructor(code: string, message: string, remedy = '') {
    super(message)
    this.name = 'ProblemError'
    this.code = code
    this.remedy = remedy
  }
}

/** Codes of the SDK's own; the rest come from the server. */
export const OFFLINE = 'offline'
export const TIMEOUT = 'timeout'
export const MALFORMED = 'malformed_answer'
export const INTERNAL = 'client_failed'

export function toProblem(error: unknown): Problem {
  if (error instanceof ProblemError) {
    return { code: error.code, message: error.message, remedy: error.remedy }
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return { code: INTERNAL, message, remedy: '' }
}

/** The error object that answers of the API and acknowledgements carry. */
export function parseProblem(value: unknown): ProblemError | null {
  if (typeof value !== 'object' || value === null || !('code' in value)) return null
  const { code, message, remedy } = value as Record<string, unknown>
  if (typeof code !== 'string') return null
  return new ProblemError(code, text(message), text(remedy))
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
