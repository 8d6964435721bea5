/** The rows of the matrix, and the words by which each is recognised wherever it goes. */
export const CAPABILITIES = [
  'text',
  'stream',
  'tools',
  'parallel tools',
  'tool result with image',
  'image in',
  'structured output',
  'reasoning kept across turns with its signature',
  'stop',
  'refusal',
  'max-tokens cut',
  'logprobs',
  'seed',
  'n>1',
  'cached-token usage',
  'error before stream',
  'error in stream',
] as const
export type Capability = (typeof CAPABILITIES)[number]

export const INGRESSES = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const
export type Ingress = (typeof INGRESSES)[number]

export const QUESTION = 'Where is the harbour?'
export const NEXT_QUESTION = 'And how deep is it there?'
export const ANSWER = 'At the end of the pier.'
export const OTHER_ANSWER = 'Behind the lighthouse.'
export const TOOL = 'find_berth'
export const OTHER_TOOL = 'read_tide'
export const PAST_CALLS = [
  { id: 'call_past_1', name: 'find_berth', arguments: '{"quay":"north-7"}', result: 'berth 12 is free' },
  { id: 'call_past_2', name: 'read_tide', arguments: '{"quay":"north-8"}', result: 'high water at 14:20' },
] as const
/** Calls of the answer. */
export const NEW_CALLS = [
  { id: 'call_new_1', name: 'find_berth', arguments: '{"quay":"south-3"}' },
  { id: 'call_new_2', name: 'read_tide', arguments: '{"quay":"south-4"}' },
] as const
export const PARAMETERS = { type: 'object', properties: { quay: { type: 'string' } }, required: ['quay'] } as const
/** One transparent pixel. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
export const SCHEMA = {
  type: 'object',
  properties: { berth: { type: 'string', enum: ['berth-east', 'berth-west'] } },
  required: ['berth'],
  additionalProperties: false,
} as const
export const OBJECT = '{"berth":"berth-west"}'
export const THOUGHT = 'A harbour lies by the sea.'
export const SIGNATURE = 'c2lnbmVkLWJ5LWl0cy1wcm92aWRlcg=='
export const STOP = '<<halt>>'
export const REFUSAL = 'I will not help with smuggling.'
export const CAP = 777
export const TOP_LOGPROBS = 3
export const LOGPROB = -0.125
export const SEED = 4242
export const USAGE = { input: 1000, cached: 640, output: 50 } as const
