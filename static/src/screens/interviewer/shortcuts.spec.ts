import { describe, expect, it } from 'vitest'

import { isTyping, shortcutFor, type PressedKey } from './shortcuts'

function press(key: string, held: Partial<PressedKey> = {}): PressedKey {
  return {
    key,
    repeat: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    isComposing: false,
    ...held,
  }
}

describe('shortcutFor', () => {
  it.each([
    ['m', 'microphone'],
    ['V', 'camera'],
    ['s', 'screen'],
    ['c', 'chat'],
    ['A', 'admit'],
    ['h', 'handOver'],
    ['?', 'help'],
    ['？', 'help'],
  ])('%s means %s', (key, action) => {
    expect(shortcutFor(press(key), false)).toEqual({ action })
  })

  it('gives the reactions the keys 1 to 4 and nothing to 5', () => {
    expect(shortcutFor(press('1'), false)).toEqual({ action: 'react', reaction: 'like' })
    expect(shortcutFor(press('4'), false)).toEqual({ action: 'react', reaction: 'hand' })
    expect(shortcutFor(press('5'), false)).toBeNull()
  })

  it.each([
    ['typing', press('h'), true],
    ['a held key', press('h', { repeat: true }), false],
    ['Ctrl', press('c', { ctrlKey: true }), false],
    ['Command', press('c', { metaKey: true }), false],
    ['Alt', press('h', { altKey: true }), false],
    ['an input method', press('h', { isComposing: true }), false],
    ['an inherited name', press('constructor'), false],
  ])('does nothing with %s', (_, pressed, typing) => {
    expect(shortcutFor(pressed, typing)).toBeNull()
  })
})

describe('isTyping', () => {
  it('knows fields from the rest of the page', () => {
    expect(isTyping(document.createElement('textarea'))).toBe(true)
    expect(isTyping(document.createElement('input'))).toBe(true)
    expect(isTyping(document.createElement('button'))).toBe(false)
    expect(isTyping(null)).toBe(false)
  })
})
