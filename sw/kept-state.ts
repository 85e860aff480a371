/** What the worker keeps between its lives, a value per word. Every call may fail, and what is loaded may be anything. */
export interface KeptState {
  load(key: string): Promise<unknown>
  save(key: string, value: unknown): Promise<void>
}
