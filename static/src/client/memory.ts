/** What a page remembers over a reload: that it was in, and what was switched off. */

export interface RememberedVisit {
  link: string
  microphone: boolean
  camera: boolean
}

const KEY = 'mianshi.visit'

/** Session storage: it ends with the tab, and a shared computer's next person finds nothing. */
export function rememberVisit(visit: RememberedVisit | null, storage = sessionStore()): void {
  try {
    if (visit) storage?.setItem(KEY, JSON.stringify(visit))
    else storage?.removeItem(KEY)
  } catch {
    // Without storage a reload leads to the check screen, which is no harm.
  }
}

export function rememberedVisit(link: string, storage = sessionStore()): RememberedVisit | null {
  try {
    const visit = JSON.parse(storage?.getItem(KEY) ?? 'null') as RememberedVisit | null
    if (visit?.link !== link) return null
    return { link, microphone: visit.microphone !== false, camera: visit.camera !== false }
  } catch {
    return null
  }
}

function sessionStore(): Storage | null {
  try {
    return sessionStorage
  } catch {
    return null
  }
}
