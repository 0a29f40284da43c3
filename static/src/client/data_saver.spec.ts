import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { rememberSaving, savesData } from './data_saver'

beforeEach(() => localStorage.clear())
afterEach(() => vi.unstubAllGlobals())

test('off until chosen, then as chosen', () => {
  expect(savesData()).toBe(false)
  rememberSaving(true)
  expect(savesData()).toBe(true)
  rememberSaving(false)
  expect(savesData()).toBe(false)
})

test("the browser's own setting counts until the person chose", () => {
  vi.stubGlobal('navigator', { connection: { saveData: true } })
  expect(savesData()).toBe(true)
  rememberSaving(false)
  expect(savesData()).toBe(false)
})

test('a browser that refuses storage', () => {
  const refuse = (): never => {
    throw new DOMException('', 'SecurityError')
  }
  const storage = { getItem: refuse, setItem: refuse } as unknown as Storage
  expect(() => rememberSaving(true, storage)).not.toThrow()
  expect(savesData(storage)).toBe(false)
})
