/** The stable codes of refused commands that people can do something about, as message keys. */
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
])

export function refusalKey(code: string): string {
  return `refusal.${KNOWN.has(code) ? code : 'other'}`
}
