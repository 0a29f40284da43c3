/** Whether this device saves data: what the person chose, else what the browser was told. */

const KEY = 'mianshi.data_saver'

interface NetworkInformation {
  readonly saveData?: boolean
}

export function savesData(storage = localStore()): boolean {
  try {
    const chosen = storage?.getItem(KEY)
    if (chosen) return chosen === 'on'
  } catch {
    // A browser that refuses storage: its own setting counts.
  }
  const { connection } = navigator as Navigator & { connection?: NetworkInformation }
  return connection?.saveData === true
}

export function rememberSaving(on: boolean, storage = localStore()): void {
  try {
    storage?.setItem(KEY, on ? 'on' : 'off')
  } catch {
    // The choice then lasts for this visit.
  }
}

function localStore(): Storage | null {
  try {
    return localStorage
  } catch {
    return null
  }
}
