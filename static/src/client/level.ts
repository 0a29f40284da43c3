/** How loud a microphone is, for a meter. */

const TICK_MS = 100
/** Below this a person sees silence: -50 dBFS. */
const FLOOR_DBFS = -50
/** The meter falls slowly, as meters do: a share of the way per tick. */
const FALL = 0.35

/** Loudness on a meter, 0..1, of samples in -1..1. */
export function meterLevel(samples: Float32Array): number {
  if (samples.length === 0) return 0
  let energy = 0
  for (const sample of samples) energy += sample * sample
  const dbfs = 10 * Math.log10(energy / samples.length + 1e-12)
  return Math.min(1, Math.max(0, 1 - dbfs / FLOOR_DBFS))
}

/** Watches one stream's microphone; `onLevel` hears of changes, at most ten times a second. */
export class LevelMeter {
  readonly #onLevel: (level: number) => void
  #context: AudioContext | null = null
  #source: MediaStreamAudioSourceNode | null = null
  #analyser: AnalyserNode | null = null
  #timer: ReturnType<typeof setInterval> | null = null
  #shown = 0

  constructor(onLevel: (level: number) => void) {
    this.#onLevel = onLevel
  }

  /** Begin, or go over to another microphone. A browser without Web Audio shows no level. */
  watch(track: MediaStreamTrack): void {
    if (typeof AudioContext === 'undefined') return
    this.#context ??= new AudioContext()
    this.#analyser ??= new AnalyserNode(this.#context, { fftSize: 1024 })
    this.#source?.disconnect()
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]))
    this.#source.connect(this.#analyser)
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS)
    this.resume()
  }

  /** iOS suspends the context in the background and on interruptions. */
  resume(): void {
    if (this.#context && this.#context.state !== 'running') {
      this.#context.resume().catch(() => undefined) // it will be asked again on the next return
    }
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#source?.disconnect()
    this.#source = null
    this.#analyser = null
    void this.#context?.close().catch(() => undefined)
    this.#context = null
    this.#show(0)
  }

  #tick(): void {
    if (!this.#analyser) return
    const samples = new Float32Array(this.#analyser.fftSize)
    this.#analyser.getFloatTimeDomainData(samples)
    const level = meterLevel(samples)
    this.#show(level > this.#shown ? level : this.#shown + (level - this.#shown) * FALL)
  }

  #show(level: number): void {
    const next = level < 0.01 ? 0 : Math.round(level * 50) / 50
    if (next !== this.#shown) this.#onLevel(next)
    this.#shown = next
  }
}
