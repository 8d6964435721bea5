import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ChatRequest, JsonObject, Message } from '../../src/protocol/request.ts'
import { COUNT_NAMES, featuresOf, HEAD_CHARS, TAIL_CHARS } from '../../src/routing/features.ts'
import { NgramCounter } from '../../src/routing/ngram-counter.ts'
import { chatRequest } from '../support/fake-steps.ts'

/** Counts by name, as whole numbers again. */
function countsOf(request: ChatRequest): Record<string, number> {
  const { counts } = featuresOf(request)
  return Object.fromEntries(COUNT_NAMES.map((name, i) => [name, Math.round(Math.expm1(counts[i] as number))]))
}

const user = (content: Extract<Message, { role: 'user' }>['content']): Message => ({ role: 'user', content })
const toolResult = (content: string): Message => ({ role: 'tool', toolCallId: 'call_1', content })
const askOf = (...messages: Message[]): string => featuresOf(chatRequest({ messages })).text

const SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    city: { type: 'string' },
    days: { type: 'array', items: { type: 'object', properties: { from: { type: 'string' } } } },
  },
}

test('golden: an agent request counts what it counts', () => {
  const request = chatRequest({
    messages: [
      { role: 'system', content: 'You are careful.' },
      user('Which of these is NOT prime?\nA. 2\nB. 91\n```js\n91 % 7\n``` é?'),
      { role: 'assistant', content: null, toolCalls: [{ id: 'call_1', kind: 'function', name: 'f', arguments: '{}' }] },
      toolResult('13'),
    ],
    tools: [
      { kind: 'function', name: 'weather', parameters: SCHEMA },
      { kind: 'custom', name: 'shell' },
    ],
    format: { type: 'json_schema', name: 'answer', schema: { type: 'object', properties: { n: { type: 'number' } } } },
  })

  // Counts that are 0 are left out.
  const counts = Object.entries(countsOf(request)).filter(([, count]) => count !== 0)
  expect(Object.fromEntries(counts)).toMatchInlineSnapshot(`
    {
      "characters": 44,
      "code_fences": 2,
      "code_signs": 6,
      "digits": 6,
      "distinct_words": 13,
      "history_turns": 1,
      "lines": 6,
      "list_parameters": 1,
      "longest_number": 2,
      "most_parameters": 2,
      "non_ascii": 1,
      "numbers": 4,
      "numbers_per_parameter": 1,
      "option_characters": 11,
      "option_digits": 6,
      "option_lines": 2,
      "optional_parameters": 2,
      "output_schema_depth": 1,
      "parameter_types": 2,
      "parameters": 2,
      "parameters_per_tool": 2,
      "percent_signs": 1,
      "question_marks": 2,
      "schema_depth": 3,
      "sentences": 4,
      "stem_characters": 23,
      "system_characters": 16,
      "text_parameters": 1,
      "tool_results_since_ask": 1,
      "tools": 2,
      "variety": 2,
      "word_letters": 2,
      "words": 14,
      "words_asking": 1,
      "words_negation": 1,
      "words_per_parameter": 5,
    }
  `)
})

test('golden: n-grams of a short text fall into the buckets that the trained weights stand for', () => {
  const ngrams = new NgramCounter()
  ngrams.count('Ab 12')
  // "ab", "00" and their pair.
  expect(ngrams.size).toBe(3)
  expect(Array.from(ngrams.touched.subarray(0, 3)).sort((a, b) => a - b)).toMatchInlineSnapshot(`
    [
      20449,
      24135,
      55572,
    ]
  `)
})

describe('the routing text', () => {
  test('is the last thing a person asked, whatever tools and assistants said since', () => {
    expect(
      askOf(user('first'), { role: 'assistant', content: 'ok' }, user('second'), toolResult('long output'), {
        role: 'assistant',
        content: 'done',
      }),
    ).toBe('second')
  })

  test('leaves out what agent programs put into the user message', () => {
    expect(askOf(user('<system-reminder>be nice\n</system-reminder>Fix it.<system-reminder>x</system-reminder>'))).toBe(
      'Fix it.',
    )
    expect(askOf(user('Fix it.'), user('<environment_context>cwd: /</environment_context>'))).toBe('Fix it.')
    expect(askOf(user('Fix it.\n\n# *SEARCH/REPLACE block* Rules:\n\nEvery block must use this format'))).toBe(
      'Fix it.',
    )
    expect(askOf(user('# AGENTS.md\n<INSTRUCTIONS>be brief</INSTRUCTIONS>\nFix it.'))).toBe('# AGENTS.md\n\nFix it.')
    expect(askOf(user('<local-command-stdout>ok</local-command-stdout>'), user('Fix it.'))).toBe('Fix it.')
    expect(askOf(user('Fix it. <system-reminder>never closed'))).toBe('Fix it.')
  })

  test('joins text parts and ignores pictures', () => {
    const parts = [
      { type: 'text', text: 'What is' },
      { type: 'image', url: 'https://example.org/a.png' },
      { type: 'text', text: 'this?' },
    ] as const
    expect(askOf(user(parts))).toBe('What is\nthis?')
  })

  test('is empty where nobody asked anything', () => {
    expect(askOf()).toBe('')
    expect(askOf({ role: 'system', content: 'x' }, user('  '))).toBe('')
    expect(countsOf(chatRequest({ messages: [] }))['history_turns']).toBe(0)
  })

  test('keeps the start and the end of a long message', () => {
    const text = askOf(user(`START${'x'.repeat(1_000_000)}END`))
    expect(text.length).toBe(HEAD_CHARS + TAIL_CHARS + 1)
    expect(text.startsWith('START')).toBe(true)
    expect(text.endsWith('END')).toBe(true)
  })
})

test('shapes of any size are looked at only so far', () => {
  let deep: JsonObject = { type: 'string' }
  for (let i = 0; i < 5000; i++) deep = { type: 'object', properties: { a: deep } }
  const wide: JsonObject = {
    properties: Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`p${i}`, SCHEMA])),
  }
  const request = chatRequest({
    messages: Array.from({ length: 10_000 }, () => toolResult('x')),
    tools: [
      { kind: 'function', name: 'deep', parameters: deep },
      { kind: 'function', name: 'wide', parameters: wide },
    ],
  })
  const counts = countsOf(request)
  expect(counts['schema_depth']).toBeLessThanOrEqual(8)
  expect(counts['tool_results_since_ask']).toBeLessThanOrEqual(256)
})

test('a counter forgets the text before', () => {
  const reused = new NgramCounter()
  reused.count('something else entirely, and longer')
  reused.count('short')
  const fresh = new NgramCounter()
  fresh.count('short')
  expect(reused.touched.subarray(0, reused.size)).toEqual(fresh.touched.subarray(0, fresh.size))
  expect(reused.counts).toEqual(fresh.counts)
})

test('case, digits and white space make no difference to n-grams', () => {
  const bucketsOf = (text: string): readonly number[] => {
    const ngrams = new NgramCounter()
    ngrams.count(text)
    return Array.from(ngrams.touched.subarray(0, ngrams.size))
  }
  expect(bucketsOf('Add 12\n\n to IT')).toEqual(bucketsOf('add 99 to it'))
  expect(bucketsOf('add 12 to it')).not.toEqual(bucketsOf('sub 12 to it'))
})

test('words read on the way over the surface are the words that a pass of their own finds', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
    fc.constantFrom(' ', '\n', "don't", '_a_', "3'5", '3.14', 'x_1', '(B) y', 'É', 'İ', 'word '),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.string(), (pieces, other) => {
      const { text } = featuresOf(chatRequest({ messages: [user(pieces.join(''))] }))
      const onTheWay = new NgramCounter()
      onTheWay.count(text)
      // Another text in between: nothing is at hand of the first any more.
      featuresOf(chatRequest({ messages: [user(`${other} between`)] }))
      const byItself = new NgramCounter()
      byItself.count(text)
      expect(onTheWay.touched.subarray(0, onTheWay.size)).toEqual(byItself.touched.subarray(0, byItself.size))
      for (const bucket of byItself.touched.subarray(0, byItself.size))
        expect(onTheWay.counts[bucket]).toBe(byItself.counts[bucket])
    }),
  )
})
