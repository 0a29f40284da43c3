/// <reference types="vite/client" />

import type zh from './locales/zh'

declare module 'vue-i18n' {
  /** Keys are checked against the Chinese texts, which are complete. */
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- module augmentation
  export interface DefineLocaleMessage extends Messages {}
}

type Messages = typeof zh
