import { createI18n, type I18n } from 'vue-i18n'

import type zh from './locales/zh'
import type { Locale } from './store/locale'

type Messages = typeof zh
type Texts = I18n<
  Record<Locale, Messages>,
  Record<string, never>,
  Record<string, never>,
  Locale,
  false
>

const LOADERS: Record<Locale, () => Promise<{ default: Messages }>> = {
  zh: () => import('./locales/zh'),
  en: () => import('./locales/en'),
}

/** The page's texts; messages are compiled without `eval`, as the page's policy asks. */
export const texts = createI18n({
  legacy: false,
  locale: 'zh',
  messages: {},
  missingWarn: import.meta.env.DEV,
  fallbackWarn: false,
}) as unknown as Texts

/** Load a language's texts (once) and show the page in it. */
export async function showLocale(locale: Locale): Promise<void> {
  const { global } = texts
  if (!(global.availableLocales as string[]).includes(locale)) {
    global.setLocaleMessage(locale, (await LOADERS[locale]()).default)
  }
  global.locale.value = locale
  document.documentElement.lang = locale === 'zh' ? 'zh-CN' : 'en'
}
