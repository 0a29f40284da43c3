/** The SDK's objects that the stores mirror; given once by `main.ts` (or by a gallery or test). */
import type {
  DevicesActions,
  DevicesState,
  HrActions,
  HrClientState,
  InterviewActions,
  InterviewState,
  LinkActions,
  LinkClientState,
  Observed,
} from '../client/types'

export interface Sdk {
  link: Observed<LinkClientState> & LinkActions
  devices: Observed<DevicesState> & DevicesActions
  interview: Observed<InterviewState> & InterviewActions
}

export type Hr = Observed<HrClientState> & HrActions

let provided: Sdk | null = null

export function provideSdk(sdk: Sdk): void {
  provided = sdk
}

export function sdk(): Sdk {
  if (!provided) throw new Error('provideSdk comes before the first store')
  return provided
}
