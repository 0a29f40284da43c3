/** What the check screen finds out: our server's answer time, and whether sound comes out. */
import { onBeforeUnmount, ref, type Ref } from 'vue'

export type NetworkState = 'untested' | 'testing' | 'good' | 'slow' | 'bad'

const PROBES = 4
const PROBE_TIMEOUT_MS = 5_000
/** Above this round trip people begin to talk over each other (ITU-T G.114). */
const SLOW_MS = 250

export interface NetworkCheck {
  readonly state: Ref<NetworkState>
  readonly rttMs: Ref<number>
  run(): Promise<void>
}

/** Median, so that the first answer (which also opens the connection) does not count alone. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}

async function probe(): Promise<number> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), PROBE_TIMEOUT_MS)
  const begun = performance.now()
  try {
    const answer = await fetch('/healthz', { cache: 'no-store', signal: stop.signal })
    if (!answer.ok) throw new Error(`healthz answered ${answer.status}`)
    return performance.now() - begun
  } finally {
    clearTimeout(timer)
  }
}

export function useNetworkCheck(): NetworkCheck {
  const state = ref<NetworkState>('untested')
  const rttMs = ref(0)

  async function run(): Promise<void> {
    if (state.value === 'testing') return
    state.value = 'testing'
    try {
      const answers: number[] = []
      for (let count = 0; count < PROBES; count += 1) answers.push(await probe())
      rttMs.value = Math.max(1, Math.round(median(answers)))
      state.value = rttMs.value > SLOW_MS ? 'slow' : 'good'
    } catch {
      state.value = 'bad'
    }
  }

  return { state, rttMs, run }
}

const NOTES_HZ = [523.25, 659.25, 783.99]
const NOTE_S = 0.22

export interface SpeakerTest {
  readonly state: Ref<'untested' | 'playing' | 'played'>
  play(): Promise<void>
}

/** Plays three rising notes; made here, so that nothing has to be downloaded. */
export function useSpeakerTest(): SpeakerTest {
  const state = ref<'untested' | 'playing' | 'played'>('untested')
  let sound: AudioContext | null = null

  async function play(): Promise<void> {
    if (state.value === 'playing') return
    state.value = 'playing'
    sound ??= new AudioContext()
    const context = sound
    await context.resume()
    NOTES_HZ.forEach((note, index) => playNote(context, note, index * NOTE_S))
    await new Promise((done) => setTimeout(done, NOTES_HZ.length * NOTE_S * 1000 + 150))
    state.value = 'played'
  }

  onBeforeUnmount(() => void sound?.close())
  return { state, play }
}

function playNote(context: AudioContext, frequency: number, after: number): void {
  const oscillator = context.createOscillator()
  const volume = context.createGain()
  const begin = context.currentTime + after
  oscillator.frequency.value = frequency
  volume.gain.setValueAtTime(0, begin)
  volume.gain.linearRampToValueAtTime(0.22, begin + 0.02)
  volume.gain.exponentialRampToValueAtTime(0.001, begin + NOTE_S)
  oscillator.connect(volume).connect(context.destination)
  oscillator.start(begin)
  oscillator.stop(begin + NOTE_S)
}

/** Whether the browser already granted both: then the preview may open without a question. */
export async function isGranted(): Promise<boolean> {
  try {
    const names = ['camera', 'microphone'] as PermissionName[]
    const states = await Promise.all(names.map((name) => navigator.permissions.query({ name })))
    return states.every((status) => status.state === 'granted')
  } catch {
    // Older Safari and Firefox know no such permission: then the tap asks.
    return false
  }
}
