import { expect, test } from 'vitest'
import type { AnswerHead } from '../../src/gateway/steps.ts'
import { answerHeaders } from '../../src/http/answer-headers.ts'
import { baseHeaders } from '../../src/http/base-headers.ts'
import { retryHeaders } from '../../src/http/error-reply.ts'
import { limitHeaders } from '../../src/http/limit-headers.ts'
import { SwitchyardError } from '../../src/shared/errors.ts'
import { toNanoUsd } from '../../src/shared/money.ts'

const ORIGINS = new Set(['https://page.example'])
const HEAD: Required<AnswerHead> = {
  tier: 'local',
  upstream: 'gpu',
  reason: 'pinned',
  cache: 'miss',
  attempts: 1,
  intent: 'maths',
  escalation: 'empty',
  taskId: 'run-1',
  standing: { spent: () => toNanoUsd(1), remaining: () => toNanoUsd(1) },
  simulated: true,
  entry: { id: 'ce_1', ageMs: 1500, savedUsd: toNanoUsd(42_000) },
  loweredCap: 5,
  dropped: ['seed'],
  guard: { findings: new Map(), redacted: new Map([['EMAIL', 1]]), suspicion: 0.5 },
}

test('a page of a listed origin may delete, and read every header of ours', () => {
  const headers = baseHeaders('req_1', { origin: 'https://page.example' }, ORIGINS)
  expect(headers['access-control-allow-methods']).toContain('DELETE')
  const exposed = new Set(headers['access-control-expose-headers']?.split(', '))
  const standing = (['requests', 'tokens'] as const).map((of) => ({ of, limit: 1, remaining: 1, resetMs: 1 }))
  const limiter = { limits: {} as never, admit: () => {}, settle: () => {}, standing: () => standing }
  const all = {
    ...answerHeaders(HEAD),
    ...limitHeaders(limiter, 'anthropic-messages'),
    ...retryHeaders(new SwitchyardError('invalid_value', 'x', { retryAfterMs: 5 })),
    'x-request-id': '',
    'request-id': '',
    'x-cost-usd': '',
    'x-token-count': '',
  }
  expect(Object.keys(all).toSorted()).toEqual([...exposed].toSorted())
})

test('a page of another origin is told nothing', () => {
  expect(baseHeaders('req_1', { origin: 'https://other.example' }, ORIGINS)).toEqual({ 'x-request-id': 'req_1' })
})
