const HAN = /\p{Script=Han}/u

/** 张三 → 三, 欧阳娜娜 → 娜, "Li Lei" → LL, "" → ·. Whole characters, never half a surrogate. */
export function initials(name: string): string {
  const characters = Array.from(name.trim())
  const last = characters[characters.length - 1]
  if (last === undefined) return '·'
  if (HAN.test(last)) return last
  const words = name.trim().split(/\s+/)
  const first = Array.from(words[0] ?? '')[0] ?? ''
  const second = words.length > 1 ? (Array.from(words[words.length - 1] ?? '')[0] ?? '') : ''
  return (first + second).toUpperCase()
}
