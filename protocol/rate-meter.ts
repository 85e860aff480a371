const weight = 0.25
const sampleMs = 50
/** The first units wait for the other side's disk and for the window to open: alone they say nothing of the line. */
const firstSampleBytes = 256 * 1024
/** But a line that took so long for less is slow. */
const firstSampleMs = 500

/** Bytes per second while there was something to move: pauses do not count, recent samples weigh most. */
export class RateMeter {
  #rate: number | undefined
  #busySince: number | undefined
  #bytes = 0
  #elapsedMs = 0

  get bytesPerSecond(): number | undefined {
    return this.#rate
  }

  started(now: number): void {
    this.#busySince ??= now
  }

  moved(bytes: number, now: number): void {
    this.#bytes += bytes
    this.#elapsedMs += now - (this.#busySince ?? now)
    this.#busySince = now
    const isFirst = this.#rate === undefined && this.#bytes < firstSampleBytes
    if (this.#elapsedMs < (isFirst ? firstSampleMs : sampleMs)) return
    const sample = (this.#bytes / this.#elapsedMs) * 1000
    this.#rate = this.#rate === undefined ? sample : this.#rate + weight * (sample - this.#rate)
    this.#bytes = 0
    this.#elapsedMs = 0
  }

  paused(): void {
    this.#busySince = undefined
  }
}
