import { defineStore } from 'pinia'

import type { DeviceKind } from '../client/types'
import { mirror } from './mirror'
import { sdk } from './sdk'

/** Our own microphone and camera. */
export const useDevices = defineStore('devices', () => {
  const { devices } = sdk()
  return {
    ...mirror(devices),
    prepare: () => devices.prepare(),
    open: () => devices.open(),
    retry: () => devices.retry(),
    flip: () => devices.flip(),
    setMicrophone: (on: boolean) => devices.setMicrophone(on),
    setCamera: (on: boolean) => devices.setCamera(on),
    choose: (kind: DeviceKind, id: string) => devices.choose(kind, id),
  }
})
