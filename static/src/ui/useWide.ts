import { onBeforeUnmount, readonly, ref, type Ref } from 'vue'

/** True where a column fits beside the stage: a desktop or a tablet that lies. */
const WIDE_QUERY = '(min-width: 900px) and (min-height: 541px)'

export function useWide(): Readonly<Ref<boolean>> {
  const query = window.matchMedia(WIDE_QUERY)
  const wide = ref(query.matches)
  const update = (event: MediaQueryListEvent): void => {
    wide.value = event.matches
  }
  query.addEventListener('change', update)
  onBeforeUnmount(() => query.removeEventListener('change', update))
  return readonly(wide)
}
