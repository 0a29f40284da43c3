/** An RTCPeerConnection that keeps the signalling state machine of JSEP and sends nothing. */
import { FakeTrack } from './fake_media'

export interface FakeSender {
  track: FakeTrack | null
  /** What was done to it, in order. */
  done: string[]
  replaceTrack(track: FakeTrack | null): Promise<void>
  getParameters(): { encodings: RTCRtpEncodingParameters[] }
  setParameters(parameters: { encodings: RTCRtpEncodingParameters[] }): Promise<void>
}

export interface FakeTransceiver {
  mid: string | null
  direction: RTCRtpTransceiverDirection
  sendEncodings: RTCRtpEncodingParameters[]
  sender: FakeSender
  receiver: { track: FakeTrack; jitterBufferTarget: number | null }
}

let session = 1000

export class FakePeerConnection {
  static made: FakePeerConnection[] = []

  readonly session = ++session
  connectionState: RTCPeerConnectionState = 'new'
  iceConnectionState: RTCIceConnectionState = 'new'
  signalingState: RTCSignalingState = 'stable'
  localDescription: { sdp: string } | null = null
  remoteDescription: { sdp: string } | null = null
  onconnectionstatechange: (() => void) | null = null
  oniceconnectionstatechange: (() => void) | null = null
  stats = new Map<string, unknown>()
  configurations: RTCConfiguration[] = []
  offers: RTCOfferOptions[] = []
  #transceivers: FakeTransceiver[] = []

  constructor(configuration: RTCConfiguration) {
    this.configurations.push(configuration)
    FakePeerConnection.made.push(this)
  }

  addTransceiver(kind: 'audio' | 'video', init: RTCRtpTransceiverInit = {}): FakeTransceiver {
    const sender = this.#sender((init.sendEncodings ?? []).map((one) => ({ active: true, ...one })))
    const transceiver: FakeTransceiver = {
      mid: null,
      direction: init.direction ?? 'sendrecv',
      sendEncodings: init.sendEncodings ?? [],
      sender,
      receiver: { track: new FakeTrack(kind), jitterBufferTarget: null },
    }
    this.#transceivers.push(transceiver)
    return transceiver
  }

  #sender(encodings: RTCRtpEncodingParameters[]): FakeSender {
    const copy = (): RTCRtpEncodingParameters[] => encodings.map((one) => ({ ...one }))
    const sender: FakeSender = {
      track: null,
      done: [],
      replaceTrack: async (track) => {
        if (this.signalingState === 'closed') throw new Error('InvalidStateError')
        sender.done.push('replaceTrack')
        sender.track = track
      },
      getParameters: () => ({ encodings: copy() }),
      setParameters: async (parameters) => {
        if (this.signalingState === 'closed') throw new Error('InvalidStateError')
        const rids = parameters.encodings.map(({ rid }) => rid)
        if (rids.join() !== encodings.map(({ rid }) => rid).join()) {
          throw new Error('InvalidModificationError')
        }
        sender.done.push('setParameters')
        encodings = parameters.encodings.map((one) => ({ ...one }))
      },
    }
    return sender
  }

  getTransceivers(): FakeTransceiver[] {
    return this.#transceivers
  }

  setConfiguration(configuration: RTCConfiguration): void {
    this.configurations.push(configuration)
  }

  async createOffer(options: RTCOfferOptions = {}): Promise<{ type: 'offer'; sdp: string }> {
    if (this.signalingState === 'closed') throw new Error('InvalidStateError')
    this.offers.push(options)
    return { type: 'offer', sdp: `o=- ${this.session} ${this.offers.length} IN IP4 0.0.0.0` }
  }

  async setLocalDescription({ sdp }: { sdp: string }): Promise<void> {
    if (this.signalingState === 'closed') throw new Error('InvalidStateError')
    for (const [index, one] of this.#transceivers.entries()) one.mid ??= String(index)
    this.localDescription = { sdp }
    this.signalingState = 'have-local-offer'
  }

  async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    if (this.signalingState !== 'have-local-offer') throw new Error('InvalidStateError')
    this.remoteDescription = { sdp }
    this.signalingState = 'stable'
    this.become('connecting')
  }

  async getStats(): Promise<Map<string, unknown>> {
    return this.stats
  }

  /** The path changes. */
  become(state: RTCPeerConnectionState): void {
    this.connectionState = state
    const ice: Partial<Record<RTCPeerConnectionState, RTCIceConnectionState>> = {
      connecting: 'checking',
    }
    this.iceConnectionState = ice[state] ?? (state as RTCIceConnectionState)
    this.oniceconnectionstatechange?.()
    this.onconnectionstatechange?.()
  }

  close(): void {
    this.signalingState = 'closed'
    this.connectionState = 'closed'
    this.iceConnectionState = 'closed'
  }
}
