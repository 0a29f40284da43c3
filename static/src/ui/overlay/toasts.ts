import { onScopeDispose, shallowRef, type ShallowRef } from 'vue'

export interface Toast {
  readonly id: number
  readonly text: string
  readonly tone: 'plain' | 'warn'
}

export interface Toasts {
  readonly list: Readonly<ShallowRef<readonly Toast[]>>
  show(text: string, options?: { tone?: Toast['tone']; forMs?: number }): void
  dismiss(id: number): void
}

/** Long enough to read two lines of Chinese, short enough not to cover a face. */
const SHOWN_MS = 4_500
const MOST_SHOWN = 3

/** Short notes over the stage. The same text is shown once, newer ones push older ones out. */
export function createToasts(): Toasts {
  const list = shallowRef<readonly Toast[]>([])
  const timers = new Set<ReturnType<typeof setTimeout>>()
  let next = 1

  function dismiss(id: number): void {
    list.value = list.value.filter((toast) => toast.id !== id)
  }

  function show(text: string, options: { tone?: Toast['tone']; forMs?: number } = {}): void {
    const toast = { id: next++, text, tone: options.tone ?? 'plain' }
    const others = list.value.filter((shown) => shown.text !== text)
    list.value = [...others, toast].slice(-MOST_SHOWN)
    const timer = setTimeout(() => {
      timers.delete(timer)
      dismiss(toast.id)
    }, options.forMs ?? SHOWN_MS)
    timers.add(timer)
  }

  onScopeDispose(() => timers.forEach(clearTimeout))
  return { list, show, dismiss }
}
