/** One direction of a line: pieces leave one after another at its rate and arrive after its delay. */
export class SimLine {
  readonly #bytesPerMs: number
  readonly #delayMs: number
  #freeAt = 0
  #sentBytes = 0

  constructor(bitsPerSecond: number, roundTripMs: number) {
    this.#bytesPerMs = bitsPerSecond / 8000
    this.#delayMs = roundTripMs / 2
  }

  /** Everything that was put on it. */
  get sentBytes(): number {
    return this.#sentBytes
  }

  /** @param left called when the last byte has left @param arrived called when it is there */
  send(bytes: number, left: () => void, arrived: () => void): void {
    this.#sentBytes += bytes
    this.#freeAt = Math.max(this.#freeAt, performance.now()) + bytes / this.#bytesPerMs
    const leftMs = this.#freeAt - performance.now()
    setTimeout(left, leftMs)
    setTimeout(arrived, leftMs + this.#delayMs)
  }
}
