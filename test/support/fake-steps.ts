/**
 * Typed stand-ins for the steps of a request. They record what they were asked and fail loudly where a test set nothing up.
 */
import type {
  AnswerHead,
  AnswerSink,
  Call,
  Caller,
  FinishedRequest,
  Hold,
  RoutePlan,
  SendOutcome,
  Sender,
  Steps,
  Target,
} from '../../src/gateway/steps.ts'
import { AcceptAll } from '../../src/gateway/accept-all.ts'
import { makePrice } from '../../src/budget/prices/make-price.ts'
import { KeyAdmitter } from '../../src/budget/keys/key-admitter.ts'
import { UnlimitedLedger } from './unlimited-ledger.ts'
import { NoGuard } from '../../src/guard/no-guard.ts'
import { NoCache } from '../../src/cache/no-cache.ts'
import type { AnswerChunk, Usage } from '../../src/protocol/answer.ts'
import type { ChatRequest } from '../../src/protocol/request.ts'
import type { SwitchyardError } from '../../src/shared/errors.ts'
import { toNanoUsd, type NanoUsd } from '../../src/shared/money.ts'

export function usage(input: number, output: number): Usage {
  return {
    input,
    cachedInput: 0,
    cacheWrite: 0,
    output,
    reasoning: 0,
    audioInput: 0,
    audioOutput: 0,
    estimated: false,
  }
}

/** A target that costs 1 nano-dollar per input and 10 per output token. */
export function target(name: string, changes: Partial<Target> = {}): Target {
  return {
    name,
    upstream: `${name}-upstream`,
    kind: 'openai',
    model: `${name}-model`,
    tier: 'local',
    contextTokens: undefined,
    capabilities: new Set(),
    price: makePrice({ inputPerM: toNanoUsd(1_000_000), outputPerM: toNanoUsd(10_000_000) }, 'test'),
    extraBody: {},
    fallbacks: [],
    ...changes,
  }
}

export const ANYBODY: Caller = {
  tenant: 'default',
  key: 'anonymous',
  user: undefined,
  spendLimits: {},
  tenantSpendLimits: {},
  canTopUp: false,
  models: undefined,
  unknownFields: 'drop',
  limiter: undefined,
}

export function chatRequest(changes: Partial<ChatRequest> = {}): ChatRequest {
  return {
    model: 'auto',
    messages: [{ role: 'user', content: 'ping' }],
    tools: [],
    n: 1,
    sampling: {},
    openai: {},
    passed: {},
    stream: false,
    includeUsage: false,
    legacyFunctions: false,
    dropped: [],
    bodyBytes: 62,
    ...changes,
  }
}

export function makeCall(changes: Partial<Call> = {}): Call {
  return {
    id: 'req_test',
    caller: ANYBODY,
    task: { id: undefined, type: undefined, budgetUsd: undefined, maxToolCalls: undefined, deadlineMs: undefined },
    request: chatRequest(),
    signal: new AbortController().signal,
    startedMs: 1,
    ...changes,
  }
}

export function plan(targets: readonly [Target, ...Target[]], changes: Partial<RoutePlan> = {}): RoutePlan {
  return {
    targets,
    tier: targets[0].tier,
    reason: 'gain',
    score: 0.5,
    intent: 'other',
    alternatives: () => [],
    tookMs: 0,
    ...changes,
  }
}

export function text(content: string): AnswerChunk {
  return { events: [{ type: 'text', choice: 0, text: content }] }
}

/** What a target does when it is asked: say these texts, then end like this. */
export interface Script {
  readonly texts?: readonly string[]
  readonly outcome: SendOutcome
}

/** Plays one script per target name and keeps the order in which targets were asked. */
export class ScriptedSender implements Sender {
  readonly asked: string[] = []
  readonly #scripts: Readonly<Record<string, Script>>

  constructor(scripts: Readonly<Record<string, Script>>) {
    this.#scripts = scripts
  }

  async send(_call: Call, hold: Hold, consumer: { chunk(chunk: AnswerChunk): boolean }): ReturnType<Sender['send']> {
    const { name } = hold.attempt.target
    this.asked.push(name)
    const script = this.#scripts[name]
    if (script === undefined) throw new Error(`No script for the target ${name}.`)
    for (const content of script.texts ?? []) consumer.chunk(text(content))
    return { outcome: script.outcome, tries: 1, dropped: [] }
  }
}

/** Notes everything that a caller would see. */
export class RecordingSink implements AnswerSink {
  head: AnswerHead | undefined
  text = ''
  end: 'none' | 'closed' | 'failed' = 'none'
  cost: NanoUsd | undefined
  error: SwitchyardError | undefined

  prepare(head: AnswerHead): void {
    this.head = head
  }

  chunk(chunk: AnswerChunk): boolean {
    for (const event of chunk.events) if (event.type === 'text') this.text += event.text
    return true
  }

  drained(): Promise<void> {
    return Promise.resolve()
  }

  close(_usage: Usage, cost: NanoUsd | undefined): void {
    this.end = 'closed'
    this.cost = cost
  }

  fail(error: SwitchyardError): void {
    this.end = 'failed'
    this.error = error
  }
}

export function makeSteps(
  route: RoutePlan | Error,
  sender: Sender,
  changes: Partial<Steps> = {},
): Steps & { records: FinishedRequest[] } {
  const records: FinishedRequest[] = []
  let time = 1
  return {
    guard: new NoGuard(),
    admitter: new KeyAdmitter(),
    cache: new NoCache(),
    router: {
      route: () => {
        if (route instanceof Error) throw route
        return route
      },
    },
    ledger: new UnlimitedLedger(),
    sender,
    judge: new AcceptAll(),
    reporter: { finished: (record) => void records.push(record) },
    now: () => (time += 1),
    records,
    ...changes,
  }
}
