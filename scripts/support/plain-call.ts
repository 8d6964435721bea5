/** A request and a call with nothing special, for scripts that ask the router without a network. */
import type { Call } from '../../src/gateway/steps.ts'
import type { ChatRequest } from '../../src/protocol/request.ts'

export function askOf(text: string, changes: Partial<ChatRequest> = {}): ChatRequest {
  return {
    model: 'auto',
    messages: [{ role: 'user', content: text }],
    tools: [],
    n: 1,
    sampling: {},
    openai: {},
    passed: {},
    stream: false,
    includeUsage: false,
    legacyFunctions: false,
    dropped: [],
    bodyBytes: text.length,
    ...changes,
  }
}

/** Of a caller without a key or a task. */
export function callOf(request: ChatRequest): Call {
  return {
    id: 'req_script',
    caller: {
      tenant: 'default',
      key: 'anonymous',
      user: undefined,
      spendLimits: {},
      tenantSpendLimits: {},
      canTopUp: false,
      models: undefined,
      unknownFields: 'drop',
      limiter: undefined,
    },
    task: { id: undefined, type: undefined, budgetUsd: undefined, maxToolCalls: undefined, deadlineMs: undefined },
    request,
    signal: new AbortController().signal,
    startedMs: 0,
  }
}
