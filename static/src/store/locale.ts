/** Which language the page speaks: `?lang=`, else the saved choice, else the browser's. */

export type Locale = 'zh' | 'en'

const LOCALES: readonly Locale[] = ['zh', 'en']

const SAVED_KEY = 'mianshi.locale'

export function initialLocale(
  search: string = location.search,
  languages: readonly string[] = navigator.languages,
): Locale {
  const asked = [new URLSearchParams(search).get('lang'), savedLocale(), ...languages]
  for (const tag of asked) {
    const locale = LOCALES.find((known) => tag?.toLowerCase().split('-')[0] === known)
    if (locale) return locale
  }
  return 'zh'
}

/** Remember the choice; a browser that refuses storage just forgets it. */
export function saveLocale(locale: Locale): void {
  try {
    localStorage.setItem(SAVED_KEY, locale)
  } catch {
    // Private modes and embedded browsers may refuse: the choice then lasts for this page.
  }
}

function savedLocale(): string | null {
  try {
    return localStorage.getItem(SAVED_KEY)
  } catch {
    return null
  }
}
