import { mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { interviewerRoomState, standingSdk, type StandingSdk } from '../testing/standing_sdk'
import { showLocale, texts } from '../../i18n'
import { provideSdk } from '../../store/sdk'
import InterviewerRoom from './InterviewerRoom.vue'

const NOW = Date.UTC(2026, 10, 22, 14)
let sdk: StandingSdk
let room: VueWrapper

function open(): void {
  provideSdk(sdk)
  setActivePinia(createPinia())
  room = mount(InterviewerRoom, { attachTo: document.body, global: { plugins: [texts] } })
}

beforeAll(() => showLocale('zh'))

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
  sdk = standingSdk(interviewerRoomState(NOW))
})

afterEach(() => {
  room.unmount()
  vi.useRealTimers()
})

describe('handing over', () => {
  it('takes one click and no question', async () => {
    open()
    await room.get('[data-testid=handoff]').trigger('click')
    expect(sdk.calls).toContainEqual(['handOver', 'c1', undefined])
    expect(room.find('[role=alertdialog]').exists()).toBe(false)
  })

  it('takes one key, but not while one types', async () => {
    open()
    const field = document.createElement('input')
    document.body.append(field)
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'h', bubbles: true }))
    expect(sdk.calls).toEqual([])
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'h', bubbles: true }))
    expect(sdk.calls).toContainEqual(['handOver', 'c1', undefined])
    field.remove()
  })

  it('offers to undo for as long as the server can', async () => {
    open()
    sdk.change({
      canTakeBack: {
        participant: 'c1',
        name: '张三',
        round: { id: 'r2', title: '复面', index: 1, occupied: true },
        untilMs: NOW + 60_000,
      },
    })
    await room.vm.$nextTick()
    expect(room.text()).toContain('已将 张三 移交至 复面')
    await room.get('[data-testid=undo-handoff]').trigger('click')
    expect(sdk.calls).toContainEqual(['takeBack', 'c1'])
    await vi.advanceTimersByTimeAsync(61_000)
    expect(room.find('[data-testid=undo-handoff]').exists()).toBe(false)
  })

  it('is not possible without a candidate', () => {
    sdk = standingSdk({ ...interviewerRoomState(NOW), participants: [], tiles: [] })
    open()
    expect(room.get('[data-testid=handoff]').attributes('disabled')).toBeDefined()
  })
})

describe('what cannot be undone', () => {
  it('is asked about first: ending the round', async () => {
    open()
    await room.get('[data-testid=end]').trigger('click')
    expect(sdk.calls).toEqual([])
    await room.get('[data-testid=confirm]').trigger('click')
    expect(sdk.calls).toContainEqual(['end'])
  })

  it('is dropped on Escape', async () => {
    open()
    await room.get('[data-testid=end]').trigger('click')
    await room.get('[role=alertdialog]').trigger('keydown', { key: 'Escape' })
    expect(room.find('[role=alertdialog]').exists()).toBe(false)
    expect(sdk.calls).toEqual([])
  })
})
