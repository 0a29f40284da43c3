import { beforeEach, expect, test, vi } from 'vitest'

import { initialLocale, saveLocale } from './locale'

beforeEach(() => localStorage.clear())

test.each([
  ['?lang=en', ['zh-CN'], 'en'],
  ['?lang=zh-TW', ['en'], 'zh'],
  ['?lang=xx', ['en-GB', 'zh'], 'en'],
  ['', ['fr-FR', 'en-US'], 'en'],
  ['', ['zh-Hans-CN'], 'zh'],
  ['', ['fr'], 'zh'],
  ['', [], 'zh'],
] as const)('%s %o: %s', (search, languages, locale) => {
  expect(initialLocale(search, languages)).toBe(locale)
})

test('a choice is remembered, and an address overrules it', () => {
  saveLocale('en')
  expect(initialLocale('', ['zh'])).toBe('en')
  expect(initialLocale('?lang=zh', ['en'])).toBe('zh')
})

test('a browser that refuses storage still shows a page', () => {
  vi.stubGlobal('localStorage', {
    getItem: () => {
      throw new DOMException('', 'SecurityError')
    },
    setItem: () => {
      throw new DOMException('', 'SecurityError')
    },
  })
  expect(() => saveLocale('en')).not.toThrow()
  expect(initialLocale('', ['en'])).toBe('en')
})
