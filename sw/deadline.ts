/** The promise's value, or undefined once `ms` have passed. A rejection stays one; a late one is not lost on anybody. */
export function within<Value>(ms: number, promise: Promise<Value>): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** Runs `work` with a signal that aborts after `ms`, or when the outer one does. */
export async function deadline<Value>(
  ms: number,
  work: (signal: AbortSignal) => Promise<Value>,
  outer?: AbortSignal,
): Promise<Value> {
  const controller = new AbortController()
  const stop = (): void => controller.abort(outer?.reason)
  const timer = setTimeout(() => controller.abort(new DOMException(`Not done in ${ms} ms`, 'TimeoutError')), ms)
  if (outer?.aborted) stop()
  outer?.addEventListener('abort', stop)
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
    outer?.removeEventListener('abort', stop)
  }
}

/** Waits for `ms`, or until the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
