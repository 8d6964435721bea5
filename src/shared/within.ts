/**
 * The promise's outcome, or a rejection with `late()` after `ms`. A reply that has arrived while this process was busy with something else
 * counts as in time: it is read before the rejection.
 */
export function within<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    // Timers run before sockets are read, and immediates after.
    const timer = setTimeout(() => setImmediate(() => reject(late())), ms)
    work.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
  })
}
