import { MALFORMED, OFFLINE, ProblemError, TIMEOUT, parseProblem } from './problem'

const TIMEOUT_MS = 10_000

/**
 * One request to the node's API.
 *
 * Throws `ProblemError` with the API's code, or `offline`, `timeout`, `malformed_answer`.
 */
export async function request<Answer>(
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await send(method, path, body)
  const answer = await parse(response)
  if (response.ok) return answer as Answer
  const problem = parseProblem((answer as { error?: unknown } | null)?.error)
  throw problem ?? new ProblemError(`http_${response.status}`, `the server said ${response.status}`)
}

async function send(method: string, path: string, body: unknown): Promise<Response> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS)
  try {
    return await fetch(path, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: abort.signal,
    })
  } catch {
    if (abort.signal.aborted) throw new ProblemError(TIMEOUT, 'the server did not answer in time')
    throw new ProblemError(OFFLINE, 'the server could not be reached')
  } finally {
    clearTimeout(timer)
  }
}

async function parse(response: Response): Promise<unknown> {
  const source = await response.text().catch(() => '')
  if (!source) return null
  try {
    return JSON.parse(source)
  } catch {
    if (!response.ok) return null
    throw new ProblemError(MALFORMED, 'the answer is not JSON')
  }
}
