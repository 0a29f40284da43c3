import { defineStore } from 'pinia'

import { HrClient } from '../client/hr'
import { socketOpener } from '../client/socket'
import type { NewInterview } from '../client/types'
import { mirror } from './mirror'
import type { Hr } from './sdk'

let provided: Hr | null = null

/** A gallery or test gives its own. */
export function provideHr(hr: Hr): void {
  provided = hr
}

/** HR's live list of interviews. */
export const useHr = defineStore('hr', () => {
  const hr = provided ?? new HrClient(socketOpener('/hr'))
  return {
    ...mirror(hr),
    open: (link?: string) => hr.open(link),
    newLink: (interview: string, participant: string) => hr.newLink(interview, participant),
    release: (interview: string, participant: string) => hr.release(interview, participant),
    createInterview: (interview: NewInterview) => hr.createInterview(interview),
    dismissError: () => hr.dismissError(),
  }
})
