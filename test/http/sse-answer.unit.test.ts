import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SseAnswer } from '../../src/http/sse-answer.ts'
import { decodeChatRequest } from '../../src/protocol/openai-chat/decode-request.ts'
import { openAiChat } from '../../src/protocol/openai-chat/dialect.ts'
import { SwitchyardError } from '../../src/shared/errors.ts'
import { text, usage } from '../support/fake-steps.ts'

const HEAD = {
  tier: 'local',
  upstream: 'gpu',
  reason: 'gain',
  cache: 'bypass',
  attempts: 1,
  simulated: false,
  taskId: undefined,
  dropped: ['new_field', 'evil\r\nx-evil: 1'],
} as const

/** As much of a response as the writer uses; keeps what a client would get. */
class FakeResponse {
  status = 0
  headers: Record<string, string> = {}
  body = ''
  isEnded = false
  headersSent = false
  destroyed = false
  readonly socket = null
  writeHead(status: number, headers: Record<string, string>): void {
    this.status = status
    this.headers = headers
    this.headersSent = true
  }
  flushHeaders(): void {}
  write(piece: string): boolean {
    this.body += piece
    return true
  }
  end(piece = ''): void {
    this.body += piece
    this.isEnded = true
  }
  once(): void {}
}

function open(includeUsage = false): { response: FakeResponse; answer: SseAnswer } {
  const response = new FakeResponse()
  const request = decodeChatRequest(
    {
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
      stream_options: { include_usage: includeUsage },
    },
    { bodyBytes: 100, unknownFields: 'refuse' },
  )
  const headers = (): Record<string, string> => ({ 'x-request-id': 'req_1' })
  return {
    response,
    answer: new SseAnswer(response as unknown as ServerResponse, headers, openAiChat, { id: '1', created: 1, request }),
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('nothing goes out before the first content; then the head says where it comes from', () => {
  const { response, answer } = open()
  answer.prepare(HEAD)
  expect(response.headersSent).toBe(false)
  answer.chunk(text('Hi'))
  expect(response.headers).toMatchObject({
    'x-route-upstream': 'gpu',
    'content-type': 'text/event-stream; charset=utf-8',
  })
})

test('names of dropped fields cannot smuggle a header', () => {
  const { response, answer } = open()
  answer.prepare(HEAD)
  answer.chunk(text('Hi'))
  expect(response.headers['x-switchyard-dropped']).toBe('new_field, ?')
})

test('after 15 s of silence a comment goes out, and again after every 15 s more', () => {
  const { response, answer } = open()
  answer.prepare(HEAD)
  vi.advanceTimersByTime(14_999)
  expect(response.body).toBe('')
  vi.advanceTimersByTime(1)
  expect(response.body).toBe(': keep-alive\n\n')
  answer.chunk(text('Hi'))
  vi.advanceTimersByTime(14_999)
  expect(response.body.split(': keep-alive')).toHaveLength(2)
  vi.advanceTimersByTime(1)
  expect(response.body.split(': keep-alive')).toHaveLength(3)
})

test('an error after a comment can only be told in the stream, and never ends in [DONE]', () => {
  const { response, answer } = open()
  answer.prepare(HEAD)
  vi.advanceTimersByTime(15_000)
  answer.fail(new SwitchyardError('upstream_timeout', 'Too late.'))
  expect([response.status, response.isEnded]).toEqual([200, true])
  expect(response.body).toMatch(/data: \{"error":\{"message":"Too late\."/)
  expect(response.body).not.toContain('[DONE]')
})

test('an error before anything went out is an ordinary error response', () => {
  const { response, answer } = open()
  answer.prepare(HEAD)
  answer.fail(new SwitchyardError('upstream_timeout', 'Too late.'))
  expect(response.status).toBe(504)
})

test.each([true, false])('usage is shown exactly to who asked (%s)', (asked) => {
  const { response, answer } = open(asked)
  answer.prepare(HEAD)
  answer.chunk(text('Hi'))
  answer.close(usage(5, 7), 123 as never)
  expect(response.body.includes('"cost_nano_usd":123')).toBe(asked)
  expect(response.body.endsWith('data: [DONE]\n\n')).toBe(true)
})

test('after the end nothing is written, whatever else happens', () => {
  const { response, answer } = open()
  answer.prepare(HEAD)
  answer.close(usage(1, 1), undefined)
  const { body } = response
  answer.chunk(text('late'))
  answer.fail(new SwitchyardError('draining', 'x'))
  vi.advanceTimersByTime(60_000)
  expect(response.body).toBe(body)
})
