import { mount, type VueWrapper } from '@vue/test-utils'
import { beforeAll, describe, expect, it } from 'vitest'

import { MAX_CHAT_CHARS } from '../../client/protocol'
import type { ChatLine } from '../../client/types'
import { showLocale, texts } from '../../i18n'
import ChatPanel from './ChatPanel.vue'

function line(text: string, change: Partial<ChatLine> = {}): ChatLine {
  return {
    id: 'l1',
    participant: 'p',
    name: '李',
    text,
    at_ms: 0,
    mine: false,
    state: 'sent',
    ...change,
  }
}

function chat(lines: ChatLine[]): VueWrapper {
  return mount(ChatPanel, { props: { lines }, global: { plugins: [texts] } })
}

beforeAll(() => showLocale('zh'))

describe('ChatPanel', () => {
  it('shows markup as text and builds no element from it', () => {
    const evil = '<img src=x onerror="alert(1)"><script>alert(2)</' + 'script>'
    const panel = chat([line(evil, { name: '<b>x</b>' })])
    expect(panel.get('[data-testid=chat-message] .text').text()).toBe(evil)
    expect(panel.get('.who span').text()).toBe('<b>x</b>')
    expect(panel.findAll('img, script, b')).toEqual([])
  })

  it('sends the trimmed text once and clears the field', async () => {
    const panel = chat([])
    await panel.get('[data-testid=chat-input]').setValue('  你好  ')
    await panel.get('[data-testid=chat-input]').trigger('keydown', { key: 'Enter' })
    await panel.get('form').trigger('submit')
    expect(panel.emitted('say')).toEqual([['你好']])
  })

  it('leaves the Enter of a Chinese input method to the input method', async () => {
    const panel = chat([])
    await panel.get('[data-testid=chat-input]').setValue('nihao')
    await panel
      .get('[data-testid=chat-input]')
      .trigger('keydown', { key: 'Enter', isComposing: true })
    expect(panel.emitted('say')).toBeUndefined()
  })

  it('refuses what the server would refuse, and says so', async () => {
    const panel = chat([])
    await panel.get('[data-testid=chat-input]').setValue('字'.repeat(MAX_CHAT_CHARS + 1))
    await panel.get('form').trigger('submit')
    expect(panel.emitted('say')).toBeUndefined()
    expect(panel.get('[role=alert]').text()).toContain(String(MAX_CHAT_CHARS))
  })

  it('offers to say a failed line again', async () => {
    const panel = chat([line('没发出去', { mine: true, state: 'failed' })])
    await panel.get('[data-testid=chat-message] button').trigger('click')
    expect(panel.emitted('say')).toEqual([['没发出去']])
  })
})
