import { defineStore } from 'pinia'

import { mirror } from './mirror'
import { sdk } from './sdk'

/** What the page's link is for, and whether it opens. */
export const useLink = defineStore('link', () => {
  const { link } = sdk()
  return {
    ...mirror(link),
    load: (secret: string) => link.load(secret),
    ask: () => link.ask(),
  }
})
