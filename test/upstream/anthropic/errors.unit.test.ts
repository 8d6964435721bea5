import { expect, test } from 'vitest'
import { fromError, fromRefusal } from '../../../src/upstream/anthropic/errors.ts'

const body = (type: string, message: string): string =>
  JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_011' })

test.each([
  [400, 'invalid_request_error', 'prompt is too long: 210123 tokens > 200000 maximum', 'context_length_exceeded'],
  [
    400,
    'invalid_request_error',
    'input length and `max_tokens` exceed context limit: 1 + 2 > 2',
    'context_length_exceeded',
  ],
  [
    400,
    'invalid_request_error',
    'Your credit balance is too low to access the Anthropic API.',
    'upstream_payment_required',
  ],
  [400, 'invalid_request_error', 'messages.0: all messages must have non-empty content', 'upstream_refused_request'],
  [401, 'authentication_error', 'invalid x-api-key', 'upstream_auth'],
  [402, 'billing_error', 'billing', 'upstream_payment_required'],
  [403, 'permission_error', 'no', 'upstream_auth'],
  [404, 'not_found_error', 'model: claude-x', 'upstream_model_missing'],
  [413, 'request_too_large', 'Request exceeds the maximum size', 'request_too_large'],
  [429, 'rate_limit_error', 'slow down', 'upstream_rate_limited'],
  [500, 'api_error', 'Internal server error', 'upstream_error'],
  [504, 'timeout_error', 'late', 'upstream_timeout'],
  [529, 'overloaded_error', 'Overloaded', 'upstream_overloaded'],
])('%i %s "%s" is %s, as a refusal and in a stream', (status, type, message, code) => {
  expect(fromRefusal(status, {}, body(type, message))).toMatchObject({ code })
  expect(fromError({ type, message })).toMatchObject({ code })
})

test('its words and keys stay inside; the retry time goes on', () => {
  const error = fromRefusal(429, { 'retry-after': '7' }, body('rate_limit_error', 'org-secret sk-ant-api03-abcdef'))
  expect(error.retryAfterMs).toBe(7000)
  expect(error.message).not.toContain('org-secret')
  expect(error.detail).not.toContain('sk-ant-api03-abcdef')
})

test('an error of an unknown type is an ordinary failure', () => {
  expect(fromError({ type: 'error_of_tomorrow' })).toMatchObject({ code: 'upstream_error' })
  expect(fromError(undefined)).toMatchObject({ code: 'upstream_error' })
})
