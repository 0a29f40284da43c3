import { expect, test } from 'vitest'

import { detectPlatform, type Abilities } from './platform'

const FULL = { touchPoints: 0, getUserMedia: true, getDisplayMedia: true, peerConnection: true }

const IOS =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)'
const ANDROID =
  'Mozilla/5.0 (Linux; Android 13; 2210132C Build/TKQ1; wv) AppleWebKit/537.36 (KHTML, like Gecko)'
const MAC =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)'
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)'

const detect = (userAgent: string, abilities: Partial<Abilities> = {}): unknown =>
  detectPlatform({ ...FULL, userAgent, ...abilities })

test.each([
  [
    'Safari on an iPhone',
    `${IOS} Version/17.4 Mobile/15E148 Safari/604.1`,
    'ios',
    'browser',
    'ios',
  ],
  ['Chrome on an iPhone', `${IOS} CriOS/123.0 Mobile/15E148 Safari/604.1`, 'ios', 'browser', 'ios'],
  [
    'WeChat on an iPhone',
    `${IOS} Mobile/15E148 MicroMessenger/8.0.47(0x18002f2b) NetType/WIFI Language/zh_CN`,
    'ios',
    'wechat',
    'wechat_ios',
  ],
  [
    'WeChat on Android',
    `${ANDROID} Version/4.0 Chrome/116.0 Mobile Safari/537.36 XWEB/1160065 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560(0x28002F3F) WeChat/arm64 NetType/WIFI Language/zh_CN`,
    'android',
    'wechat',
    'wechat_android',
  ],
  [
    'WeChat on Android, TBS',
    `${ANDROID} Version/4.0 Chrome/89.0.4389.72 MQQBrowser/6.2 TBS/046141 Mobile Safari/537.36 MicroMessenger/8.0.20`,
    'android',
    'wechat',
    'wechat_android',
  ],
  [
    'WeCom on Android',
    `${ANDROID} Version/4.0 Chrome/116.0 Mobile Safari/537.36 wxwork/4.1.10 MicroMessenger/7.0.1 Language/zh`,
    'android',
    'wecom',
    'wechat_android',
  ],
  [
    'Chrome on Android',
    `${ANDROID.replace('; wv', '')} Chrome/124.0.0.0 Mobile Safari/537.36`,
    'android',
    'browser',
    'android',
  ],
  [
    'Huawei browser on HarmonyOS',
    'Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile HuaweiBrowser/5.0',
    'android',
    'browser',
    'android',
  ],
  [
    'Chrome on Windows',
    `${WINDOWS} Chrome/124.0.0.0 Safari/537.36`,
    'windows',
    'browser',
    'desktop',
  ],
  [
    'WeChat on Windows',
    `${WINDOWS} Chrome/107.0 Safari/537.36 NetType/WIFI MicroMessenger/7.0.20.1781(0x6700143B) WindowsWechat(0x63090a13) XWEB/9129 Flue`,
    'windows',
    'wechat',
    'wechat_desktop',
  ],
  [
    'WeChat on a Mac',
    `${MAC} MicroMessenger/6.8.0(0x16080000) MacWechat/3.8.7(0x13080710) XWEB/1191 Flue`,
    'mac',
    'wechat',
    'wechat_desktop',
  ],
  ['Safari on a Mac', `${MAC} Version/17.4 Safari/605.1.15`, 'mac', 'browser', 'desktop'],
  [
    'Firefox on Linux',
    'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    'linux',
    'browser',
    'desktop',
  ],
])('%s', (_, userAgent, system, shell, help) => {
  expect(detect(userAgent)).toMatchObject({ system, shell, help })
})

test('an iPad that calls itself a Mac is a phone for us', () => {
  const iPad = detect(`${MAC} Version/17.4 Safari/605.1.15`, { touchPoints: 5 })
  expect(iPad).toMatchObject({ system: 'ios', phone: true, canShareScreen: false })
})

test('no phone shares its screen, whatever its browser claims', () => {
  expect(detect(`${ANDROID} Chrome/124.0 Mobile`)).toMatchObject({ canShareScreen: false })
  expect(detect(`${WINDOWS} Chrome/124.0`)).toMatchObject({ canShareScreen: true })
  expect(detect(`${WINDOWS} Chrome/124.0`, { getDisplayMedia: false })).toMatchObject({
    canShareScreen: false,
  })
})

test.each([
  ['WeChat on iOS 14.2', `${IOS.replace('17_4', '14_2')} MicroMessenger/8.0.2`, false],
  ['WeChat on iOS 14.3', `${IOS.replace('17_4', '14_3')} MicroMessenger/8.0.2`, true],
  ['WeChat on iOS 13.7', `${IOS.replace('17_4', '13_7')} MicroMessenger/8.0.2`, false],
  ['WeChat on Windows', `${WINDOWS} MicroMessenger/7.0.20 WindowsWechat`, false],
  ['WeCom on Windows 4.0.6', `${WINDOWS} wxwork/4.0.6 MicroMessenger/7.0.1`, false],
  ['WeCom on Windows 4.0.8', `${WINDOWS} wxwork/4.0.8 MicroMessenger/7.0.1`, true],
  ['WeCom on Windows 4.1.22', `${WINDOWS} wxwork/4.1.22 MicroMessenger/7.0.1`, true],
])('%s: camera %s', (_, userAgent, canUseCamera) => {
  expect(detect(userAgent)).toMatchObject({ canUseCamera, openElsewhere: !canUseCamera })
})

test('a browser without getUserMedia has no better place to go', () => {
  const insecure = detect(`${WINDOWS} Chrome/124.0`, { getUserMedia: false })
  expect(insecure).toMatchObject({ canUseCamera: false, openElsewhere: false })
})

test('an empty or odd name is a desktop browser', () => {
  for (const userAgent of ['', 'x'.repeat(10_000), 'curl/8']) {
    expect(detect(userAgent)).toMatchObject({ system: 'other', shell: 'browser', help: 'desktop' })
  }
})
