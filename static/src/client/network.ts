/** Moments at which the way to the server may have changed. */

export interface NetworkWatcher {
  /** Another network, or one again: addresses of before are worthless. */
  onChange(): void
  /** The page is looked at again: what was held up while it slept should go on. */
  onReturn(): void
}

interface NetworkInformation extends EventTarget {
  readonly type?: string
}

/** Returns what ends the watching. */
export function watchNetwork(watcher: NetworkWatcher): () => void {
  const information = (navigator as Navigator & { connection?: NetworkInformation }).connection
  let type = information?.type
  const onInformation = (): void => {
    // Estimates of speed change all the time; only Wi-Fi against mobile is another network.
    if (information?.type === type) return
    type = information?.type
    watcher.onChange()
  }
  const onOnline = (): void => watcher.onChange()
  const onVisible = (): void => {
    if (document.visibilityState === 'visible') watcher.onReturn()
  }
  information?.addEventListener?.('change', onInformation)
  addEventListener('online', onOnline)
  addEventListener('pageshow', onVisible)
  document.addEventListener('visibilitychange', onVisible)
  return () => {
    information?.removeEventListener?.('change', onInformation)
    removeEventListener('online', onOnline)
    removeEventListener('pageshow', onVisible)
    document.removeEventListener('visibilitychange', onVisible)
  }
}
