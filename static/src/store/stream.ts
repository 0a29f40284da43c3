import { defineStore } from 'pinia'
import type { Directive } from 'vue'

import { playback, showStream } from '../client/playback'
import { mirror } from './mirror'

export interface ShownStream {
  stream: MediaStream | null
  /** Whose picture it is, for the timeline; not for the self view. */
  participant?: string
}

/**
 * `<video v-stream="{ stream: tile.stream, participant: tile.participant.id }" playsinline>`.
 *
 * Keep the element in the page while the camera is off (`v-show`): it plays the voice as well.
 */
export const vStream: Directive<HTMLVideoElement, ShownStream> = {
  mounted: (video, { value }) => showStream(video, value.stream, value.participant),
  updated: (video, { value }) => showStream(video, value.stream, value.participant),
  beforeUnmount: (video) => showStream(video, null),
}

/** `blocked`: ask for a touch, or the others stay silent. */
export const usePlayback = defineStore('playback', () => mirror(playback))
