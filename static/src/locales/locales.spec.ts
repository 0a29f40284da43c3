import { describe, expect, it } from 'vitest'

import { showLocale, texts } from '../i18n'
import en from './en'
import zh from './zh'

type Tree = { [key: string]: string | Tree }

function leaves(tree: Tree, path = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') found.set(path + key, value)
    else for (const [inner, text] of leaves(value, `${path}${key}.`)) found.set(inner, text)
  }
  return found
}

function parameters(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort()
}

const chinese = leaves(zh)
const english = leaves(en)

describe('the languages', () => {
  it('have the same keys, none empty', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
    for (const text of [...chinese.values(), ...english.values()]) expect(text.trim()).not.toBe('')
  })

  it('name the same parameters in each text', () => {
    for (const [key, text] of chinese) {
      expect(parameters(english.get(key) ?? ''), key).toEqual(parameters(text))
    }
  })

  it('keeps Chinese out of the English texts', () => {
    const left = [...english].filter(([, text]) => /\p{Script=Han}/u.test(text))
    expect(left).toEqual([])
  })

  it.each(['zh', 'en'] as const)(
    'compiles every text of %s without a leftover brace',
    async (locale) => {
      await showLocale(locale)
      for (const [key, text] of locale === 'zh' ? chinese : english) {
        const values = Object.fromEntries(parameters(text).map((name) => [name, 'X']))
        const shown = texts.global.t(key, values)
        expect(shown, key).not.toMatch(/[{}]/)
        expect(shown, key).not.toBe(key)
      }
    },
  )
})
