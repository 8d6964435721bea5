import {
  ANSWER,
  CAP,
  LOGPROB,
  OBJECT,
  OTHER_ANSWER,
  OTHER_TOOL,
  PAST_CALLS,
  PNG,
  QUESTION,
  REFUSAL,
  SEED,
  SIGNATURE,
  STOP,
  THOUGHT,
  TOOL,
  TOP_LOGPROBS,
  USAGE,
  type Capability,
} from './capabilities.ts'
import type { Egress } from './egresses.ts'
import { is, says, type Mark } from './places.ts'

const [first, second] = PAST_CALLS
const quay = (number: string): Mark => says(number)
const SIGNERS: ReadonlySet<Egress['name']> = new Set(['openai, Responses', 'anthropic', 'google'])
const FINISH = /finish_?reason$|stop_reason$|incomplete_details\.reason$/i

/** What must be found in the body that the provider gets (of reasoning: in that of the next turn). The first shows where. */
export function askedMarks(capability: Capability, egress: Egress): readonly Mark[] {
  switch (capability) {
    case 'stream':
    case 'error in stream':
      return [(value, place) => (place === 'stream' && value === true) || isStreamPath(value, place)]
    case 'tools':
      return [is(TOOL, /^tools/), quay('north-7'), says(first.result)]
    case 'parallel tools':
      return [is(OTHER_TOOL, /^tools/), quay('north-7'), quay('north-8'), says(first.result), says(second.result)]
    case 'tool result with image':
      return [says(PNG), says(first.result)]
    case 'image in':
      return [says(PNG)]
    case 'structured output':
      return [is('berth-west')]
    case 'reasoning kept across turns with its signature':
      return SIGNERS.has(egress.name) ? [says(SIGNATURE), says(THOUGHT)] : [says(THOUGHT)]
    case 'stop':
      return [is(STOP)]
    case 'max-tokens cut':
      return [is(CAP)]
    case 'logprobs':
      return [is(TOP_LOGPROBS)]
    case 'seed':
      return [is(SEED)]
    case 'n>1':
      return [is(2)]
    case 'text':
    case 'refusal':
    case 'cached-token usage':
    case 'error before stream':
      return [says(QUESTION)]
    default:
      return capability satisfies never
  }
}

/** What must be found in the answer that the caller gets, and in the provider's. The first shows where. */
export function answeredMarks(capability: Capability, egress: Egress): readonly Mark[] {
  const isLacking = egress.lacks[capability] !== undefined
  switch (capability) {
    case 'tools':
      return [quay('south-3')]
    case 'parallel tools':
      return isLacking ? [quay('south-3')] : [quay('south-3'), quay('south-4')]
    case 'structured output':
      return [is(OBJECT)]
    case 'reasoning kept across turns with its signature':
      return SIGNERS.has(egress.name) ? [says(SIGNATURE), says(THOUGHT)] : [says(THOUGHT)]
    case 'refusal':
      if (egress.name === 'google')
        return [(value, place) => FINISH.test(place) && /^(?:SAFETY|content_filter|refusal)$/.test(String(value))]
      return [says(REFUSAL)]
    case 'max-tokens cut':
      return [(value, place) => FINISH.test(place) && /^(?:length|max_(?:output_)?tokens)$/i.test(String(value))]
    case 'logprobs':
      return [is(LOGPROB)]
    case 'n>1':
      return [is(OTHER_ANSWER), is(ANSWER)]
    case 'cached-token usage':
      return isLacking ? [is(0, /(?:cached_tokens|cache_read_input_tokens)$/)] : [is(USAGE.cached)]
    case 'text':
    case 'stream':
    case 'tool result with image':
    case 'image in':
    case 'stop':
    case 'seed':
      return [is(ANSWER)]
    case 'error before stream':
    case 'error in stream':
      return []
    default:
      return capability satisfies never
  }
}

function isStreamPath(value: unknown, place: string): boolean {
  return place === '(path)' && String(value).includes(':streamGenerateContent')
}

/** Rows whose question is the same whatever they are about: the table shows where their answer stands. */
export const SHOWN_BY_ANSWER: ReadonlySet<Capability> = new Set([
  'text',
  'refusal',
  'max-tokens cut',
  'cached-token usage',
  'error before stream',
  'error in stream',
])
