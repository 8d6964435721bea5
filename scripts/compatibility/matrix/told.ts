import {
  ANSWER,
  NEW_CALLS,
  OBJECT,
  OTHER_ANSWER,
  REFUSAL,
  SIGNATURE,
  THOUGHT,
  USAGE,
  type Capability,
} from './capabilities.ts'

export interface ToldCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

/** What a model tells, before a wire puts it into its words. */
export interface Told {
  /** One of each choice. */
  readonly texts: readonly string[]
  readonly calls: readonly ToldCall[]
  readonly thought: { readonly text: string; readonly signature: string } | undefined
  readonly refusal: string | undefined
  readonly finish: 'stop' | 'length' | 'calls' | 'refusal'
  readonly hasLogprobs: boolean
  readonly usage: { readonly input: number; readonly cached: number; readonly output: number }
}

const PLAIN: Told = {
  texts: [ANSWER],
  calls: [],
  thought: undefined,
  refusal: undefined,
  finish: 'stop',
  hasLogprobs: false,
  usage: { ...USAGE, cached: 0 },
}

/** The answer that shows a capability. */
export function toldFor(capability: Capability): Told {
  switch (capability) {
    case 'tools':
      return { ...PLAIN, texts: [''], calls: NEW_CALLS.slice(0, 1), finish: 'calls' }
    case 'parallel tools':
      return { ...PLAIN, texts: [''], calls: NEW_CALLS, finish: 'calls' }
    case 'structured output':
      return { ...PLAIN, texts: [OBJECT] }
    case 'reasoning kept across turns with its signature':
      return { ...PLAIN, thought: { text: THOUGHT, signature: SIGNATURE } }
    case 'refusal':
      return { ...PLAIN, texts: [''], refusal: REFUSAL, finish: 'refusal' }
    case 'max-tokens cut':
      return { ...PLAIN, finish: 'length' }
    case 'logprobs':
      return { ...PLAIN, hasLogprobs: true }
    case 'n>1':
      return { ...PLAIN, texts: [ANSWER, OTHER_ANSWER] }
    case 'cached-token usage':
      return { ...PLAIN, usage: USAGE }
    case 'text':
    case 'stream':
    case 'tool result with image':
    case 'image in':
    case 'stop':
    case 'seed':
    case 'error before stream':
    case 'error in stream':
      return PLAIN
    default:
      return capability satisfies never
  }
}
