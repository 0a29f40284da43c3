import { defineStore } from 'pinia'

import type { NewInterview } from '../client/types'
import { mirror } from './mirror'
import type { Hr } from './sdk'

let provided: Hr | null = null

/** HR's client is loaded with HR's page only; that page gives it before the store is used. */
export function provideHr(hr: Hr): void {
  provided = hr
}

/** HR's live list of interviews. */
export const useHr = defineStore('hr', () => {
  const hr = provided
  if (!hr) throw new Error('provideHr comes before the first useHr')
  return {
    ...mirror(hr),
    open: (link?: string) => hr.open(link),
    newLink: (interview: string, participant: string) => hr.newLink(interview, participant),
    release: (interview: string, participant: string) => hr.release(interview, participant),
    createInterview: (interview: NewInterview) => hr.createInterview(interview),
    dismissError: () => hr.dismissError(),
  }
})
