import { describe, expect, it } from 'vitest'

import { detectPlatform, type Platform } from '../../client/platform'
import type { DeviceProblemCode, LinkState } from '../../client/types'
import en from '../../locales/en'
import zh from '../../locales/zh'
import {
  deviceProblem,
  linkProblem,
  noCamera,
  PROBLEM_CODES,
  problemView,
  visitProblem,
} from './problems'

const AGENTS = {
  wechatIos:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/8.0.38',
  oldWechatIos:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 13_4 like Mac OS X) AppleWebKit/605.1.15 MicroMessenger/7.0',
  wechatAndroid: 'Mozilla/5.0 (Linux; Android 13) Chrome/107.0 MicroMessenger/8.0.38',
  wechatDesktop: 'Mozilla/5.0 (Windows NT 10.0) Chrome/107.0 MicroMessenger/3.9 WindowsWechat',
  android: 'Mozilla/5.0 (Linux; Android 13; Pixel 7) Chrome/126.0 Mobile Safari/537.36',
  desktop: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36',
} as const

function platform(agent: keyof typeof AGENTS, devices = true): Platform {
  return detectPlatform({
    userAgent: AGENTS[agent],
    touchPoints: 0,
    getUserMedia: devices,
    getDisplayMedia: devices,
    peerConnection: true,
  })
}

type Texts = Record<string, string>

describe('problemView', () => {
  it.each([...PROBLEM_CODES])('has words in both languages and a way on for %s', (code) => {
    for (const texts of [zh, en]) {
      const words: Texts = texts.problem[code]
      expect(words.title).toBeTruthy()
      expect(words.body).toBeTruthy()
      for (const agent of Object.keys(AGENTS) as (keyof typeof AGENTS)[]) {
        for (const step of problemView(code, platform(agent)).steps) {
          expect(words[step], `${code}.${step}`).toBeTruthy()
        }
      }
    }
  })

  it('tells WeChat users to look into WeChat’s permissions, others into the browser’s', () => {
    expect(problemView('denied', platform('wechatAndroid')).steps[0]).toBe('androidWechat1')
    expect(problemView('denied', platform('wechatIos')).steps[0]).toBe('iosWechat1')
    expect(problemView('denied', platform('android')).steps[0]).toBe('android1')
    expect(problemView('denied', platform('desktop')).steps[0]).toBe('desktop1')
  })

  it('lets a candidate go on without devices wherever devices are the problem', () => {
    for (const code of ['denied', 'missing', 'in_use', 'unsupported', 'insecure'] as const) {
      expect(problemView(code, platform('desktop')).actions).toContain('continue')
    }
  })
})

describe('linkProblem', () => {
  it('hinders nothing while loading or open', () => {
    expect(linkProblem('open')).toBeNull()
    expect(linkProblem('loading')).toBeNull()
  })

  it.each(['early', 'expired', 'revoked', 'ended', 'other_device', 'unknown', 'offline'] as const)(
    'shows %s as itself',
    (state: LinkState) => {
      expect(linkProblem(state)).toBe(state)
    },
  )
})

describe('visitProblem', () => {
  it('is silent while the visit goes on', () => {
    for (const phase of ['check', 'joining', 'lobby', 'room', 'reconnecting'] as const) {
      expect(visitProblem(phase, null)).toBeNull()
    }
  })

  it('names the reason of a refused join, and says so plainly for an unknown one', () => {
    const refused = (code: string) => visitProblem('failed', { code, message: '', remedy: '' })
    expect(refused('link_expired')).toBe('expired')
    expect(refused('room_ended')).toBe('ended')
    expect(refused('constructor')).toBe('failed')
    expect(visitProblem('failed', null)).toBe('failed')
  })

  it('shows how a visit ended', () => {
    expect(visitProblem('removed', null)).toBe('removed')
    expect(visitProblem('replaced', null)).toBe('replaced')
    expect(visitProblem('left', null)).toBe('left')
  })
})

describe('deviceProblem', () => {
  const CODES: DeviceProblemCode[] = ['denied', 'dismissed', 'missing', 'in_use', 'overconstrained']

  it.each(CODES)('shows %s as itself', (code) => {
    expect(deviceProblem(code, platform('desktop'), true)).toBe(code)
  })

  it('calls a device that went away interrupted', () => {
    expect(deviceProblem('ended', platform('desktop'), true)).toBe('interrupted')
  })

  it('sends WeChat without a camera to a browser', () => {
    expect(deviceProblem('unsupported', platform('oldWechatIos'), true)).toBe('wechat_open_browser')
    expect(deviceProblem('unsupported', platform('wechatDesktop'), true)).toBe('wechat_desktop')
  })
})

describe('noCamera', () => {
  it('is known before the first tap', () => {
    expect(noCamera(platform('desktop'), true)).toBeNull()
    expect(noCamera(platform('desktop', false), false)).toBe('insecure')
    expect(noCamera(platform('desktop', false), true)).toBe('unsupported')
    expect(noCamera(platform('oldWechatIos'), true)).toBe('wechat_open_browser')
    expect(noCamera(platform('wechatDesktop'), true)).toBe('wechat_desktop')
  })
})
