/** Puts the SDK together for a candidate's or interviewer's page. */
import { Devices } from './client/devices'
import { Interview } from './client/interview'
import { LinkClient } from './client/link'
import { detectPlatform } from './client/platform'
import { socketOpener } from './client/socket'
import { readMachine, videoClass } from './client/video_class'
import type { Sdk } from './store/sdk'

export function createSdk(): Sdk {
  const { phone, system } = detectPlatform()
  const video = videoClass(readMachine(phone))
  const link = new LinkClient()
  const devices = new Devices({
    video,
    phone,
    renewsAfterInterruption: system === 'ios',
    media: navigator.mediaDevices as MediaDevices | undefined,
  })
  const interview = new Interview({
    link,
    devices,
    openSocket: socketOpener('/room'),
    connection: {
      create: (configuration) => new RTCPeerConnection(configuration),
      video,
    },
  })
  return { link, devices, interview }
}
