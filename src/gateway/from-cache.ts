/** Answers that cost nothing: out of memory, or those of a twin that is on its way. */
import type { Usage } from '../protocol/answer.ts'
import { ZERO_USD } from '../shared/money.ts'
import { follow, retold } from './follow.ts'
import type { RequestTrace } from './request-trace.ts'
import type { Admission, AnswerHead, AnswerSink, CacheLookup, Call, JoinedFlight, Steps, Target } from './steps.ts'

type Found = Extract<CacheLookup, { readonly chunks: unknown }>

export async function answerFromCache(
  call: Call,
  admission: Admission,
  found: Found,
  sink: AnswerSink,
  steps: Steps,
  trace: RequestTrace,
): Promise<void> {
  await countCall(call, admission, steps)
  sink.prepare(headOf(call, admission, found.result, trace, found.entry))
  for (const chunk of found.chunks) {
    if (call.signal.aborted) return trace.aborted()
    if (!sink.chunk(retold(chunk, call))) await sink.drained()
  }
  sink.close(found.usage, ZERO_USD)
  trace.completed(found.usage)
}

/** `again` and `alone`: the twin was of no use, and nothing was shown. Throws what cut it short after something was. */
export async function answerFromTwin(
  call: Call,
  admission: Admission,
  twin: JoinedFlight,
  sink: AnswerSink,
  steps: Steps,
  trace: RequestTrace,
  isFirst: boolean,
): Promise<'done' | 'again' | 'alone'> {
  if (isFirst) await countCall(call, admission, steps)
  // What follow throws comes after the first content.
  trace.hasContent = true
  const how = await follow(call, twin, headOf(call, admission, 'join', trace), sink)
  trace.hasContent = false
  switch (how) {
    case 'answered':
      trace.answeredFromCache(twin.cost ?? ZERO_USD)
      trace.completed(twin.usage ?? NO_TOKENS)
      return 'done'
    case 'left':
      trace.aborted()
      return 'done'
    case 'again':
    case 'alone':
      return how
    default:
      return how satisfies never
  }
}

function headOf(
  { request }: Call,
  { taskId, standing }: Admission,
  cache: AnswerHead['cache'],
  { guard }: RequestTrace,
  entry?: AnswerHead['entry'],
): AnswerHead {
  return {
    tier: 'cache',
    upstream: 'cache',
    reason: 'cache',
    cache,
    attempts: 0,
    simulated: false,
    taskId,
    ...(standing === undefined ? {} : { standing }),
    dropped: request.dropped,
    guard,
    ...(entry === undefined ? {} : { entry }),
  }
}

/** What the books take an answer out of memory for: a call of a model that costs nothing. */
const MEMORY: Target = {
  name: 'cache',
  upstream: 'cache',
  kind: 'simulated',
  model: 'cache',
  tier: 'local',
  contextTokens: undefined,
  capabilities: new Set(),
  price: { inputPerM: ZERO_USD, outputPerM: ZERO_USD, source: 'cache', revision: 'cache' },
  extraBody: {},
  fallbacks: [],
}
const NO_TOKENS: Usage = {
  input: 0,
  cachedInput: 0,
  cacheWrite: 0,
  output: 0,
  reasoning: 0,
  audioInput: 0,
  audioOutput: 0,
  estimated: false,
}

/** Before the first attempt, which this is none of. A task's limit of calls counts what is answered from memory, too: a loop is a loop. Throws what its books refuse. */
async function countCall(call: Call, admission: Admission, { ledger }: Steps): Promise<void> {
  if (admission.taskId === undefined) return
  const hold = await ledger.reserve(call, admission, { callId: call.id, number: 0, target: MEMORY, isLast: true })
  await ledger.settle(hold, { kind: 'complete', usage: NO_TOKENS })
}
