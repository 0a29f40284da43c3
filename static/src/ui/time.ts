/** Times as people read them, in the reader's own time zone. */

function moment(at: number | string | Date): Date {
  return at instanceof Date ? at : new Date(at)
}

function tag(locale: string): string {
  return locale === 'zh' ? 'zh-CN' : 'en-GB'
}

/** "14:05" */
export function timeOfDay(at: number | string | Date, locale: string): string {
  return moment(at).toLocaleTimeString(tag(locale), {
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  })
}

/** "11月22日 周日" or "Sun 22 Nov" */
export function dayOfYear(at: number | string | Date, locale: string): string {
  return moment(at).toLocaleDateString(tag(locale), {
    month: locale === 'zh' ? 'long' : 'short',
    day: 'numeric',
    weekday: 'short',
  })
}

/** "4:07" or "1:02:09" */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) =>
    String(part).padStart(2, '0'),
  )
  const hours = Math.floor(seconds / 3600)
  return hours > 0 ? `${hours}:${parts.join(':')}` : `${Number(parts[0])}:${parts[1]}`
}

export interface Countdown {
  readonly days: number
  /** "03:12:45", never negative. */
  readonly clock: string
}

export function countdown(ms: number): Countdown {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  const parts = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60]
  return {
    days: Math.floor(seconds / 86_400),
    clock: parts.map((part) => String(part).padStart(2, '0')).join(':'),
  }
}
