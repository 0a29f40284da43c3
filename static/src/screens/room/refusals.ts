/** The stable codes of refused commands and requests that people can do something about, as message keys. */
const KNOWN = new Set([
  'rate_limited',
  'screen_taken',
  'reaction_limited',
  'chat_full',
  'undo_expired',
  'round_ended',
  'room_full',
  'participant_unknown',
  'not_permitted',
  'busy',
  'participant_not_waiting',
  'candidate_only',
  'interview_unknown',
  'interview_ended',
  'request_invalid',
  'origin_refused',
  'database_unavailable',
  'offline',
  'timeout',
])

export function refusalKey(code: string): string {
  return `refusal.${KNOWN.has(code) ? code : 'other'}`
}
