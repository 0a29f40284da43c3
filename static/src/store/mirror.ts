import { onScopeDispose, shallowReactive, toRefs, type ToRefs } from 'vue'

import type { Observed } from '../client/types'

/**
 * The SDK's snapshot as refs. Shallow on purpose: a `MediaStream` must stay the browser's own
 * object, and the SDK replaces what it changes.
 */
export function mirror<State extends object>(source: Observed<State>): ToRefs<State> {
  const state = shallowReactive({ ...source.state }) as State
  onScopeDispose(source.subscribe((next) => Object.assign(state, next)))
  return toRefs(state)
}
