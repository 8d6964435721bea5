/** What several rows ask of an answer. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Live, Probe } from './probe.ts'
import type { Reply } from './reply.ts'
import { holds, same } from './row.ts'

/** How long a gateway may take to let the upstream go, ms. */
const LEAVE_MS = 1000

/** A whole, good stream with this text. */
export function succeeds(reply: Reply, text?: string): void {
  same(reply.status, 200, 'status')
  holds(reply.isWhole, 'the connection broke before the end')
  holds(reply.errors.length === 0, `an error frame: ${JSON.stringify(reply.errors[0])?.slice(0, 80)}`)
  same(reply.dones, 1, '[DONE] markers')
  same(reply.events.at(-1), '[DONE]', 'last event')
  if (text !== undefined) same(reply.text(), text, 'text')
}

/** A failure that nobody can take for a good end: an error frame and no `[DONE]`, or an HTTP error. */
export function fails(reply: Reply): void {
  if (reply.status >= 400) return
  const ends = reply.events.filter((data) => data === '[DONE]').length
  holds(reply.errors.length > 0, ends > 0 ? 'ended with [DONE] as if all were well' : 'ended without a word')
  same(ends, 0, '[DONE] markers after the error')
  same(reply.finishes(), [], 'finish reasons of an answer that failed')
}

/** An HTTP error in the API's envelope, so that clients can retry and say why. */
export function refuses(reply: Reply, status?: number): void {
  holds(reply.status >= 400, `status ${reply.status} for a request that failed`)
  if (status !== undefined) same(reply.status, status, 'status')
  const { error } = reply.json
  holds(
    typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string',
    'the body has no error.message',
  )
}

/** The caller goes away once the request has reached the upstream, which must notice it. */
export async function leaves(probe: Probe, live: Live): Promise<void> {
  const seen = await Promise.race([probe.upstream.arrived, sleep(2000)])
  holds(seen !== undefined, 'the request never reached the upstream')
  await sleep(50)
  live.leave()
  const left = await Promise.race([seen.left.then(() => true), sleep(LEAVE_MS, false)])
  holds(left, `the upstream still works ${LEAVE_MS} ms after the caller has gone`)
}
