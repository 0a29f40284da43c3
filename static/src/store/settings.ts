import { defineStore } from 'pinia'
import { ref } from 'vue'

import { showLocale } from '../i18n'
import { initialLocale, saveLocale, type Locale } from './locale'

/** The language of the page. */
export const useSettings = defineStore('settings', () => {
  const locale = ref<Locale>(initialLocale())

  async function setLocale(next: Locale): Promise<void> {
    await showLocale(next)
    locale.value = next
    saveLocale(next)
  }

  return { locale, setLocale }
})
