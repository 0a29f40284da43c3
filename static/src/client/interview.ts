import type { Devices } from './devices'
import type { PictureSize } from './encodings'
import type { ReactionName } from './protocol'
import type { InterviewActions, InterviewState, Observed } from './types'
import { Visit, type VisitParts } from './visit'

/** Everything a person can do in an interview, and the state of the visit it changes. */
export class Interview implements Observed<InterviewState>, InterviewActions {
  readonly #visit: Visit
  readonly #devices: Devices

  constructor(parts: VisitParts) {
    this.#visit = new Visit(parts)
    this.#devices = parts.devices
  }

  get state(): Readonly<InterviewState> {
    return this.#visit.state
  }

  subscribe(listener: (state: Readonly<InterviewState>) => void): () => void {
    return this.#visit.subscribe(listener)
  }

  join(): Promise<boolean> {
    return this.#visit.join()
  }

  leave(): Promise<boolean> {
    return this.#visit.leave()
  }

  admit(participant: string): Promise<boolean> {
    return this.#visit.requests.did('seat.admit', { participant })
  }

  remove(participant: string): Promise<boolean> {
    return this.#visit.requests.did('seat.remove', { participant })
  }

  mute(participant: string): Promise<boolean> {
    return this.#visit.requests.did('seat.mute', { participant })
  }

  handOver(participant: string, round?: string): Promise<boolean> {
    return this.#visit.handOver.move(this.state.room, participant, round)
  }

  takeBack(participant: string): Promise<boolean> {
    return this.#visit.handOver.takeBack(participant)
  }

  end(): Promise<boolean> {
    return this.#visit.requests.did('room.end', {})
  }

  say(text: string): Promise<boolean> {
    return this.#visit.conversation.say(text)
  }

  react(name: ReactionName): Promise<boolean> {
    return this.#visit.conversation.react(name)
  }

  toggleMicrophone(): Promise<boolean> {
    return this.#devices.setMicrophone(!this.#devices.state.microphone.on)
  }

  toggleCamera(): Promise<boolean> {
    return this.#devices.setCamera(!this.#devices.state.camera.on)
  }

  saveData(on: boolean): void {
    this.#visit.saveData(on)
  }

  drawn(participant: string, source: 'camera' | 'screen', size: PictureSize): void {
    this.#visit.drawn(participant, source, size)
  }

  startScreen(): Promise<boolean> {
    return this.#visit.screen.start()
  }

  stopScreen(): Promise<boolean> {
    return this.#visit.screen.stop()
  }

  readChat(open: boolean): void {
    this.#visit.conversation.read(open)
  }

  dismissError(): void {
    this.#visit.dismissError()
  }
}
