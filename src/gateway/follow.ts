import type { AnswerChunk, AnswerEvent } from '../protocol/answer.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { ZERO_USD } from '../shared/money.ts'
import type { AnswerHead, AnswerSink, Call, JoinedFlight } from './steps.ts'

/** Longest wait for a twin that still waits itself, for money that others hold or a task that is paused. */
const PATIENCE_MS = 2000

/**
 * Answers a call with what its running twin is answered. Resolves with `again` where the twin came to nothing before anything was shown
 * here, `alone` where it does not come to the point; throws what cut the twin's answer where a part of it was shown.
 */
export async function follow(
  call: Call,
  twin: JoinedFlight,
  head: AnswerHead,
  sink: AnswerSink,
): Promise<'answered' | 'left' | 'again' | 'alone'> {
  let wake = (): void => {}
  const fire = (): void => wake()
  twin.join(fire)
  call.signal.addEventListener('abort', fire)
  let isLate = false
  const patience = setTimeout(() => {
    isLate = true
    fire()
  }, PATIENCE_MS)
  try {
    sink.prepare(head)
    let attempt = twin.attempt
    let at = 0
    let hasShown = false
    for (;;) {
      if (call.signal.aborted) return 'left'
      if (twin.attempt !== attempt) {
        attempt = twin.attempt
        at = 0
        sink.prepare(head)
      }
      const chunk = twin.chunks[at]
      if (chunk !== undefined) {
        at += 1
        hasShown = true
        if (!sink.chunk(retold(chunk, call))) await sink.drained()
      } else if (twin.state === 'landed' && twin.usage !== undefined) {
        sink.close(twin.usage, ZERO_USD)
        return 'answered'
      } else if (twin.state === 'ended') {
        // A whole answer is shown at its end, so that another model may still begin it.
        if (!hasShown || !call.request.stream) return 'again'
        throw twin.error ?? new SwitchyardError('upstream_stream_truncated', 'The answer ended before it was whole.')
      } else if (isLate && twin.state === 'waiting') {
        return 'alone'
      } else {
        await new Promise<void>((resolve) => (wake = resolve))
      }
    }
  } finally {
    clearTimeout(patience)
    call.signal.removeEventListener('abort', fire)
    twin.leave(fire)
  }
}

/** A chunk of another call's answer for this one: an answer's id is its own, so frames that hold the other one are left out. */
export function retold({ events }: AnswerChunk, call: Call): AnswerChunk {
  return { events: events.some(isStart) ? events.map((event) => restarted(event, call)) : events }
}

function isStart(event: AnswerEvent): boolean {
  return event.type === 'start'
}

function restarted(event: AnswerEvent, call: Call): AnswerEvent {
  if (event.type !== 'start') return event
  const id = `chatcmpl-${call.id.slice(call.id.indexOf('_') + 1)}`
  return { ...event, id, created: Math.floor(Date.now() / 1000) }
}
