import type { Platform } from '../../client/platform'

export type HelpPlatform = 'ios' | 'android' | 'wechat' | 'desktop'

export const HELP_PLATFORMS: readonly HelpPlatform[] = ['ios', 'android', 'wechat', 'desktop']

export type PictureName =
  | 'ask-phone'
  | 'ask-desktop'
  | 'address'
  | 'switches'
  | 'open-browser'
  | 'pick-window'
  | 'share-button'
  | 'stop-button'
  | 'network'
  | 'refresh'
  | 'call'
  | 'no-phone-screen'

export interface HelpStep {
  /** Key under `help`. */
  readonly text: string
  readonly picture: PictureName
}

export interface HelpTopic {
  readonly title: 'permission' | 'screen' | 'network'
  readonly steps: readonly HelpStep[]
}

const PERMISSION: Record<HelpPlatform, readonly PictureName[]> = {
  ios: ['ask-phone', 'address', 'switches'],
  android: ['ask-phone', 'address', 'switches'],
  wechat: ['ask-phone', 'switches', 'open-browser'],
  desktop: ['ask-desktop', 'address', 'switches'],
}

const DESKTOP_SCREEN: readonly PictureName[] = ['share-button', 'pick-window', 'stop-button']
const NETWORK: readonly PictureName[] = ['network', 'refresh', 'call']

function steps(prefix: string, pictures: readonly PictureName[]): HelpStep[] {
  return pictures.map((picture, index) => ({ text: `${prefix}${index + 1}`, picture }))
}

/** The illustrated steps for a device. A phone is told that it cannot share its screen. */
export function helpTopics(platform: HelpPlatform): HelpTopic[] {
  const screen: HelpStep[] =
    platform === 'desktop'
      ? steps('screen_desktop', DESKTOP_SCREEN)
      : [{ text: 'screen_phone', picture: 'no-phone-screen' }]
  return [
    { title: 'permission', steps: steps(`permission_${platform}`, PERMISSION[platform]) },
    { title: 'screen', steps: screen },
    { title: 'network', steps: steps('network', NETWORK) },
  ]
}

export function helpPlatform(help: Platform['help']): HelpPlatform {
  if (help === 'wechat_ios' || help === 'wechat_android') return 'wechat'
  return help === 'wechat_desktop' ? 'desktop' : help
}
