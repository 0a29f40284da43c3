import { defineStore } from 'pinia'

import type { PictureSize } from '../client/encodings'
import type { ReactionName } from '../client/protocol'
import { mirror } from './mirror'
import { sdk } from './sdk'

/** The visit: where we are, who is there, and what we can do. */
export const useInterview = defineStore('interview', () => {
  const { interview } = sdk()
  return {
    ...mirror(interview),
    join: () => interview.join(),
    leave: () => interview.leave(),
    admit: (participant: string) => interview.admit(participant),
    remove: (participant: string) => interview.remove(participant),
    mute: (participant: string) => interview.mute(participant),
    handOver: (participant: string, round?: string) => interview.handOver(participant, round),
    takeBack: (participant: string) => interview.takeBack(participant),
    end: () => interview.end(),
    say: (text: string) => interview.say(text),
    react: (name: ReactionName) => interview.react(name),
    toggleMicrophone: () => interview.toggleMicrophone(),
    toggleCamera: () => interview.toggleCamera(),
    saveData: (on: boolean) => interview.saveData(on),
    drawn: (participant: string, source: 'camera' | 'screen', size: PictureSize) =>
      interview.drawn(participant, source, size),
    startScreen: () => interview.startScreen(),
    stopScreen: () => interview.stopScreen(),
    readChat: (open: boolean) => interview.readChat(open),
    dismissError: () => interview.dismissError(),
  }
})
