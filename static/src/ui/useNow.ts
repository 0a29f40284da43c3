import { onBeforeUnmount, readonly, ref, type Ref } from 'vue'

/** The clock of the page as a ref, moved on every `stepMs` while the component lives. */
export function useNow(stepMs: number): Readonly<Ref<number>> {
  const now = ref(Date.now())
  const timer = setInterval(() => {
    now.value = Date.now()
  }, stepMs)
  onBeforeUnmount(() => clearInterval(timer))
  return readonly(now)
}
