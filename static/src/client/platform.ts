/** What this browser is and can do, as far as a visit depends on it. */

export type System = 'ios' | 'android' | 'windows' | 'mac' | 'linux' | 'other'
export type Shell = 'wechat' | 'wecom' | 'browser'

export interface Platform {
  system: System
  shell: Shell
  /** A phone or tablet: touch first, no screen sharing. */
  phone: boolean
  /** Which illustrated help fits. */
  help: 'ios' | 'android' | 'wechat_ios' | 'wechat_android' | 'wechat_desktop' | 'desktop'
  canUseCamera: boolean
  /** The camera works elsewhere on this device: "open in browser". */
  openElsewhere: boolean
  canShareScreen: boolean
}

/** What the browser offers, besides its name. */
export interface Abilities {
  userAgent: string
  touchPoints: number
  getUserMedia: boolean
  getDisplayMedia: boolean
  peerConnection: boolean
}

/** iOS before this has no `getUserMedia` in WKWebView, which WeChat is made of. */
const IOS_WEBVIEW_CAMERA = 14.3
/** WeCom for desktop publishes from here on; WeChat for desktop only receives. */
const WECOM_DESKTOP_CAMERA = [4, 0, 8]

function readAbilities(): Abilities {
  const media = navigator.mediaDevices as MediaDevices | undefined
  return {
    userAgent: navigator.userAgent,
    touchPoints: navigator.maxTouchPoints,
    getUserMedia: typeof media?.getUserMedia === 'function',
    getDisplayMedia: typeof media?.getDisplayMedia === 'function',
    peerConnection: typeof RTCPeerConnection === 'function',
  }
}

export function detectPlatform(abilities: Abilities = readAbilities()): Platform {
  const { userAgent } = abilities
  const system = systemOf(userAgent, abilities.touchPoints)
  const shell = shellOf(userAgent)
  const phone = system === 'ios' || system === 'android'
  const canUseCamera =
    abilities.peerConnection &&
    abilities.getUserMedia &&
    shellAllowsCamera(userAgent, shell, system)
  return {
    system,
    shell,
    phone,
    help: helpFor(system, shell, phone),
    canUseCamera,
    openElsewhere: !canUseCamera && shell !== 'browser',
    canShareScreen: abilities.getDisplayMedia && !phone,
  }
}

function systemOf(userAgent: string, touchPoints: number): System {
  if (/iPhone|iPad|iPod/.test(userAgent)) return 'ios'
  if (/Android|HarmonyOS|OpenHarmony/.test(userAgent)) return 'android'
  // An iPad asks for desktop pages by naming itself a Mac, and no Mac has a touch screen.
  if (/Macintosh/.test(userAgent)) return touchPoints > 1 ? 'ios' : 'mac'
  if (/Windows/.test(userAgent)) return 'windows'
  return /Linux|CrOS|X11/.test(userAgent) ? 'linux' : 'other'
}

function shellOf(userAgent: string): Shell {
  if (/wxwork\//i.test(userAgent)) return 'wecom'
  return /MicroMessenger\//i.test(userAgent) ? 'wechat' : 'browser'
}

function helpFor(system: System, shell: Shell, phone: boolean): Platform['help'] {
  if (shell === 'browser') {
    if (!phone) return 'desktop'
    return system === 'ios' ? 'ios' : 'android'
  }
  if (!phone) return 'wechat_desktop'
  return system === 'ios' ? 'wechat_ios' : 'wechat_android'
}

function shellAllowsCamera(userAgent: string, shell: Shell, system: System): boolean {
  if (shell === 'browser' || system === 'android') return true
  if (system === 'ios') return (iosVersion(userAgent) ?? Infinity) >= IOS_WEBVIEW_CAMERA
  return (
    shell === 'wecom' && isAtLeast(version(userAgent, /wxwork\/([\d.]+)/i), WECOM_DESKTOP_CAMERA)
  )
}

/** 14.3 of `OS 14_3_1`; null where the name hides it (an iPad as a Mac). */
function iosVersion(userAgent: string): number | null {
  const found = /OS (\d+)_(\d+)/.exec(userAgent)
  return found ? Number(`${found[1]}.${found[2]}`) : null
}

function version(userAgent: string, pattern: RegExp): number[] {
  return (pattern.exec(userAgent)?.[1] ?? '').split('.').map(Number)
}

function isAtLeast(found: number[], wanted: number[]): boolean {
  for (const [place, number] of wanted.entries()) {
    const have = found[place] ?? 0
    if (have !== number) return have > number
  }
  return true
}
