/**
 * What stands in the way, and what the person can do about it. Pure: the same facts give the same
 * screen.
 */
import type { Platform } from '../../client/platform'
import type { DeviceProblemCode, LinkState, Phase, Problem } from '../../client/types'
import type { IconName } from '../../ui/icon/shapes'

export type ProblemCode =
  | Exclude<DeviceProblemCode, 'ended'>
  | 'interrupted'
  | 'wechat_open_browser'
  | 'wechat_desktop'
  | 'reconnecting'
  | 'offline'
  | 'failed'
  | 'media_failed'
  | 'ended'
  | 'removed'
  | 'replaced'
  | 'left'
  | 'unknown'
  | 'expired'
  | 'revoked'
  | 'early'
  | 'other_device'
  | 'shutdown'
  | 'not_found'

export type ProblemAction =
  'retry' | 'continue' | 'rejoin' | 'here' | 'ask' | 'copy' | 'reload' | 'help'

export interface ProblemView {
  readonly code: ProblemCode
  readonly icon: IconName
  /** Keys under `problem.<code>` of numbered steps. */
  readonly steps: readonly string[]
  /** The first is the one to take. */
  readonly actions: readonly ProblemAction[]
  /** Show whom to call. */
  readonly contact: boolean
}

type Look = Omit<ProblemView, 'code'>

function look(icon: IconName, actions: readonly ProblemAction[], contact = true): Look {
  return { icon, steps: [], actions, contact }
}

const LOOKS: Record<ProblemCode, Look> = {
  denied: look('lock', ['retry', 'help', 'continue']),
  dismissed: look('camera', ['retry', 'help', 'continue'], false),
  missing: look('camera-off', ['retry', 'continue']),
  in_use: look('camera-off', ['retry', 'continue']),
  overconstrained: look('camera-off', ['retry', 'continue']),
  interrupted: look('microphone-off', ['retry', 'continue']),
  insecure: look('lock', ['copy', 'continue']),
  unsupported: look('warning', ['copy', 'continue']),
  wechat_open_browser: look('arrow', ['copy', 'continue']),
  wechat_desktop: look('device', ['copy', 'continue']),
  reconnecting: look('network-off', ['reload']),
  offline: look('network-off', ['retry']),
  failed: look('warning', ['rejoin', 'reload']),
  media_failed: look('network-off', ['rejoin', 'reload']),
  ended: look('check', [], false),
  removed: look('door', []),
  replaced: look('device', ['here'], false),
  left: look('door', ['rejoin'], false),
  unknown: look('link', []),
  expired: look('clock', []),
  revoked: look('link', []),
  early: look('clock', []),
  other_device: look('device', ['ask']),
  shutdown: look('refresh', ['reload']),
  not_found: look('link', [], false),
}

const DENIED_STEPS: Record<Platform['help'], readonly string[]> = {
  wechat_ios: ['iosWechat1', 'iosWechat2', 'iosWechat3'],
  wechat_android: ['androidWechat1', 'androidWechat2', 'androidWechat3'],
  wechat_desktop: ['desktop1', 'desktop2', 'desktop3'],
  ios: ['ios1', 'ios2', 'ios3'],
  android: ['android1', 'android2', 'android3'],
  desktop: ['desktop1', 'desktop2', 'desktop3'],
}

/** Steps that differ by device; the other problems need none. */
function stepsFor(code: ProblemCode, platform: Platform): readonly string[] {
  if (code === 'denied') return DENIED_STEPS[platform.help]
  if (code !== 'wechat_open_browser') return []
  return ['step1', platform.system === 'ios' ? 'iosStep2' : 'step2']
}

export function problemView(code: ProblemCode, platform: Platform): ProblemView {
  return { ...LOOKS[code], code, steps: stepsFor(code, platform) }
}

export const PROBLEM_CODES = Object.keys(LOOKS) as readonly ProblemCode[]

const LINK_PROBLEMS: Partial<Record<LinkState, ProblemCode>> = {
  early: 'early',
  expired: 'expired',
  revoked: 'revoked',
  ended: 'ended',
  other_device: 'other_device',
  unknown: 'unknown',
  offline: 'offline',
}

export function linkProblem(state: LinkState): ProblemCode | null {
  return LINK_PROBLEMS[state] ?? null
}

/** The server's reasons for a refused join that have a screen of their own. */
const REFUSALS = new Map<string, ProblemCode>(
  Object.entries({
    link_unknown: 'unknown',
    link_expired: 'expired',
    link_revoked: 'revoked',
    link_early: 'early',
    link_other_device: 'other_device',
    token_revoked: 'revoked',
    interview_unknown: 'unknown',
    interview_closed: 'ended',
    interview_ended: 'ended',
    link_ended: 'ended',
    room_ended: 'ended',
    offline: 'offline',
    network: 'offline',
    unreachable: 'offline',
    media_failed: 'media_failed',
    shutdown: 'shutdown',
    goodbye_shutdown: 'shutdown',
  }),
)

const OVER: Partial<Record<Phase, ProblemCode>> = {
  left: 'left',
  ended: 'ended',
  removed: 'removed',
  replaced: 'replaced',
}

/** Why the visit is over or cannot begin; null while it goes on. */
export function visitProblem(phase: Phase, error: Problem | null): ProblemCode | null {
  if (phase === 'failed') return (error && REFUSALS.get(error.code)) ?? 'failed'
  return OVER[phase] ?? null
}

export function deviceProblem(
  code: DeviceProblemCode,
  platform: Platform,
  secure: boolean,
): ProblemCode {
  if (code === 'ended') return 'interrupted'
  if (code === 'unsupported' || code === 'insecure') return noCamera(platform, secure) ?? code
  return code
}

/** Known before the first tap: here no camera can work. */
export function noCamera(platform: Platform, secure: boolean): ProblemCode | null {
  if (platform.canUseCamera) return null
  if (!secure) return 'insecure'
  if (!platform.openElsewhere) return 'unsupported'
  return platform.phone ? 'wechat_open_browser' : 'wechat_desktop'
}
