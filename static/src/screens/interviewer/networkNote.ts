/** Whether what an interviewer sees of a candidate is the network's doing, and whose. */
import { isUnconnected } from '../../client/diagnosis'
import type { Quality, Tile } from '../../client/types'

export interface NetworkNote {
  key: string
  name: string
}

/**
 * The candidate's trouble first: an interviewer must not take a stalling line for a stalling
 * person. Null while nothing stands between them.
 */
export function networkNote(tiles: readonly Tile[], own: Quality): NetworkNote | null {
  const candidate = tiles.find(({ participant }) => participant.role === 'candidate')
  if (!candidate) return null
  const { name } = candidate.participant
  const theirs = candidate.quality
  if (isUnconnected(own)) return { key: 'interviewer.unconnectedNoteMine', name }
  if (isUnconnected(theirs)) return { key: 'interviewer.unconnectedNote', name }
  if (theirs.level === 'poor' || theirs.level === 'lost') {
    const server = theirs.cause === 'server'
    return { key: server ? 'interviewer.networkNoteServer' : 'interviewer.networkNote', name }
  }
  const receives = own.affects === 'receiving' || own.affects === 'both'
  if (own.level !== 'poor' || !receives) return null
  const server = own.cause === 'server'
  return { key: server ? 'interviewer.networkNoteServer' : 'interviewer.networkNoteMine', name }
}
