/** How much picture a device can encode, judged before anything was measured. */

export type VideoClass = 'weak_phone' | 'phone' | 'strong_phone' | 'desktop' | 'strong_desktop'

export interface Machine {
  phone: boolean
  /** Logical processors; browsers that hide their number say few. */
  cores: number
  /** GiB as the browser rounds it, 8 at most; null where it does not say (Safari, Firefox). */
  memoryGiB: number | null
}

const WEAK_PHONE = { cores: 4, memoryGiB: 3 }
const STRONG_PHONE = { cores: 8, memoryGiB: 8 }
/** VP8 in 1080p, 720p and 360p at once keeps about two cores busy. */
const STRONG_DESKTOP_CORES = 4

export function readMachine(phone: boolean): Machine {
  const { deviceMemory } = navigator as Navigator & { deviceMemory?: number }
  return { phone, cores: navigator.hardwareConcurrency || 2, memoryGiB: deviceMemory ?? null }
}

export function videoClass({ phone, cores, memoryGiB }: Machine): VideoClass {
  if (!phone) return cores >= STRONG_DESKTOP_CORES ? 'strong_desktop' : 'desktop'
  // An iPhone hides its memory and names few cores, and none of those in use is weak.
  if (memoryGiB === null) return 'phone'
  if (cores <= WEAK_PHONE.cores && memoryGiB <= WEAK_PHONE.memoryGiB) return 'weak_phone'
  const strong = cores >= STRONG_PHONE.cores && memoryGiB >= STRONG_PHONE.memoryGiB
  return strong ? 'strong_phone' : 'phone'
}
