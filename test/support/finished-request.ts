import type { FinishedRequest } from '../../src/gateway/steps.ts'
import { toNanoUsd, ZERO_USD } from '../../src/shared/money.ts'

/** The record of a request that was answered, with what the test says otherwise. */
export function finishedRequest(more: Partial<FinishedRequest> = {}): FinishedRequest {
  return {
    id: 'req_0123456789abcdef',
    tenant: 'acme',
    key: 'ci',
    taskId: undefined,
    taskType: 'default',
    model: 'auto',
    stream: false,
    result: 'ok',
    errorCode: undefined,
    errorDetail: undefined,
    status: 200,
    tier: 'local',
    upstream: 'gpu',
    target: 'small',
    escalation: undefined,
    reason: 'share',
    intent: 'other',
    score: 0.25,
    cache: 'bypass',
    attempts: 1,
    usage: {
      input: 10,
      cachedInput: 4,
      cacheWrite: 0,
      output: 20,
      reasoning: 5,
      audioInput: 0,
      audioOutput: 0,
      estimated: false,
    },
    cost: toNanoUsd(4500),
    savedUsd: ZERO_USD,
    durationMs: 12,
    firstContentMs: 6,
    upstreamMs: 11,
    routerMs: 0.01,
    dropped: [],
    ...more,
  }
}
