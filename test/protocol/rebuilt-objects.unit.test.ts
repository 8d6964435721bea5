/** What is sent on is rebuilt name by name, also inside the objects that only OpenAI knows. */
import { expect, test } from 'vitest'
import { decodeChatRequest } from '../../src/protocol/openai-chat/decode-request.ts'

const decode = (more: object): ReturnType<typeof decodeChatRequest> =>
  decodeChatRequest(
    { model: 'm', messages: [{ role: 'user', content: 'x' }], ...more },
    { bodyBytes: 100, unknownFields: 'drop' },
  )
const file = (data: unknown): object => ({
  messages: [{ role: 'user', content: [{ type: 'file', file: { filename: 'a.pdf', file_data: data } }] }],
})

test.each<[string, unknown]>([
  ['audio', { format: 'wav', voice: 'alloy' }],
  ['audio', { format: 'wav', voice: { id: 'voice_1' } }],
  ['moderation', { model: 'omni', policy: { input: { mode: 'block' }, output: null } }],
  ['prompt_cache_options', { mode: 'explicit', ttl: '30m' }],
  [
    'web_search_options',
    {
      search_context_size: 'low',
      user_location: { type: 'approximate', approximate: { city: 'Kyiv', country: 'UA' } },
    },
  ],
  ['prediction', { type: 'content', content: [{ type: 'text', text: 'x' }] }],
  ['prediction', { type: 'content', content: 'x' }],
])('%s %j is kept as it is', (field, value) => {
  expect(decode({ [field]: value }).openai).toEqual({ [field]: value })
})

test.each<[string, unknown, unknown]>([
  ['audio', { format: 'wav', voice: 'alloy', api_base: 'http://x' }, { format: 'wav', voice: 'alloy' }],
  [
    'web_search_options',
    { user_location: { approximate: { city: 'x', url: 'http://x' } } },
    { user_location: { approximate: { city: 'x' } } },
  ],
  ['prompt_cache_options', { __nothing: 1 }, {}],
  [
    'prediction',
    { type: 'content', content: [{ type: 'text', text: 'x', image_url: 'http://x' }], more: 1 },
    { type: 'content', content: [{ type: 'text', text: 'x' }] },
  ],
])('of %s only the known part is kept', (field, value, kept) => {
  expect(decode({ [field]: value }).openai).toEqual({ [field]: kept })
})

test.each<[string, object, string]>([
  ['a number for a text', { audio: { format: 1 } }, 'audio.format'],
  ['a text for an object', { web_search_options: { user_location: 'here' } }, 'web_search_options.user_location'],
  [
    'an image as a prediction',
    { prediction: { type: 'content', content: [{ type: 'image_url' }] } },
    'prediction.content[0].type',
  ],
  ['a number as a prediction', { prediction: { type: 'content', content: 1 } }, 'prediction.content'],
  ['an address as a file', file('http://169.254.169.254/latest'), 'messages[0].content[0].file.file_data'],
  ['a path as a file', file('file:///etc/passwd'), 'messages[0].content[0].file.file_data'],
  ['an empty file', file(''), 'messages[0].content[0].file.file_data'],
])('%s is refused by name', (_what, more, param) => {
  expect(() => decode(more)).toThrow(expect.objectContaining({ param }))
})

test.each(['JVBERi0xLjQ=', 'data:application/pdf;base64,JVBERi0xLjQ='])('a file may be %s', (data) => {
  expect(decode(file(data)).messages[0]).toMatchObject({ content: [{ type: 'file', filename: 'a.pdf', data }] })
})
