let waiting: (() => void)[] = []

/**
 * Runs `work` when the event loop has handled what had arrived in this turn. Writes to sockets that go out together cost less: a
 * write that finds its reader asleep has to wake it, and the next ones find it awake. A service with one request at a time waits
 * for nothing, as its turn is over at once.
 */
export function atEndOfTurn(work: () => void): void {
  if (waiting.length === 0) setImmediate(flush)
  waiting.push(work)
}

function flush(): void {
  const due = waiting
  waiting = []
  for (const work of due) work()
}
