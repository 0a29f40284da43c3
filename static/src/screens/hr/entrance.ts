/** Why HR's page does not open: what to say depends on whether there was a link, and what of it. */
export type Entrance = 'signed_out' | 'link_used' | 'link_dead'

export function entranceOf(code: string | undefined): Entrance {
  if (code === 'link_other_device') return 'link_used'
  return code?.startsWith('link_') ? 'link_dead' : 'signed_out'
}

/** Of the title and the text below it. */
export const ENTRANCE_KEYS: Record<Entrance, readonly [string, string]> = {
  signed_out: ['hr.signedOut', 'hr.signedOutBody'],
  link_used: ['hr.linkUsed', 'hr.linkUsedBody'],
  link_dead: ['hr.linkDead', 'hr.linkDeadBody'],
}
