import { expect, test } from 'vitest'
import { readFeedback } from '../../src/http/feedback-body.ts'

test.each([
  [
    { request_id: 'r', success: true },
    { quality: 1, success: true, isCorrected: false },
  ],
  [
    { request_id: 'r', success: false },
    { quality: 0, success: false, isCorrected: false },
  ],
  [
    { task_id: 't', quality: 0.5, success: null },
    { quality: 0.5, success: undefined, isCorrected: false },
  ],
  [
    { request_id: 'r', corrected: '42' },
    { quality: 0, success: undefined, isCorrected: true },
  ],
  [
    { request_id: 'r', corrected: '42', quality: 0.9, success: true },
    { quality: 0.9, success: true, isCorrected: true },
  ],
])('%j is read', (body, expected) => {
  expect(readFeedback(body)).toMatchObject(expected)
})

test.each([
  [[], 'invalid_type', undefined],
  [undefined, 'invalid_type', undefined],
  [{ success: true }, 'missing_required_parameter', 'request_id'],
  [{ request_id: 'r', task_id: 't', success: true }, 'missing_required_parameter', 'request_id'],
  [{ request_id: 'r' }, 'missing_required_parameter', 'success'],
  [{ request_id: 7, success: true }, 'invalid_value', 'request_id'],
  [{ request_id: 'r', success: 'yes' }, 'invalid_value', 'success'],
  [{ request_id: 'r', quality: 1.01 }, 'invalid_value', 'quality'],
  [{ request_id: 'r', quality: Number.NaN }, 'invalid_value', 'quality'],
  [{ request_id: 'r', corrected: {} }, 'invalid_value', 'corrected'],
  [{ request_id: 'r', corrected: 'x', success: true }, 'invalid_value', 'corrected'],
  [{ request_id: 'r', sucess: true }, 'unknown_parameter', 'sucess'],
])('%j is refused by name', (body, code, param) => {
  expect(() => readFeedback(body)).toThrow(expect.objectContaining({ code, param }))
})
