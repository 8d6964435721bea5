import type { Capability as ModelCapability, Target } from '../../../src/gateway/steps.ts'
import type { Capability } from './capabilities.ts'
import { anthropicSpeaker } from './speak-anthropic.ts'
import { chatSpeaker } from './speak-chat.ts'
import { googleSpeaker } from './speak-google.ts'
import { responsesSpeaker } from './speak-responses.ts'
import type { Speaker } from './speaker.ts'
import { toldFor, type Told } from './told.ts'

/** A column of the matrix: a kind of upstream, a model of it that can do what the kind can, and the provider's side of the wire. */
export interface Egress {
  readonly name: 'openai' | 'openai, Responses' | 'anthropic' | 'google' | 'vllm' | 'tgi'
  /** Name of its model and its upstream in a configuration. */
  readonly id: string
  readonly kind: Target['kind']
  readonly api?: 'responses'
  readonly model: string
  /** What the operator says that the model can; absent = what its kind can. Engines serve models that see and models that do not. */
  readonly capabilities?: readonly ModelCapability[]
  readonly speaker: Speaker
  /** What servers of this kind never say, as a sentence for the table; the answer is then `told` without it. */
  readonly lacks: Readonly<Partial<Record<Capability, { readonly why: string; readonly told: Told }>>>
}

const overloaded = {
  status: 503,
  body: { error: { message: 'Overloaded.', type: 'server_error', param: null, code: null } },
}
const failure = { error: { message: 'The server had an error.', type: 'server_error', param: null, code: null } }
const anyChat = { hasIds: true, overloaded, failure } as const
const refusing = toldFor('refusal')
const asText: Told = { ...refusing, texts: [String(refusing.refusal)], refusal: undefined, finish: 'stop' }

const SEES: readonly ModelCapability[] = ['tools', 'json_schema', 'logprobs', 'images']

export const EGRESSES: readonly Egress[] = [
  {
    name: 'openai',
    id: 'openai',
    kind: 'openai',
    model: 'gpt-4.1',
    speaker: chatSpeaker({ ...anyChat, thoughtField: 'reasoning_content' }),
    lacks: {},
  },
  {
    name: 'openai, Responses',
    id: 'responses',
    kind: 'openai',
    api: 'responses',
    model: 'gpt-5-pro',
    speaker: responsesSpeaker,
    lacks: {},
  },
  {
    name: 'anthropic',
    id: 'claude',
    kind: 'anthropic',
    model: 'claude-sonnet-4-5',
    speaker: anthropicSpeaker,
    lacks: {},
  },
  {
    name: 'google',
    id: 'gemini',
    kind: 'google',
    model: 'gemini-3-flash-preview',
    speaker: googleSpeaker,
    lacks: {
      refusal: {
        why: 'its filter ends the answer without a word of the model',
        told: { ...refusing, refusal: undefined },
      },
    },
  },
  {
    name: 'vllm',
    id: 'vllm',
    kind: 'vllm',
    model: 'Qwen/Qwen3-VL-8B-Instruct',
    capabilities: SEES,
    speaker: chatSpeaker({ ...anyChat, thoughtField: 'reasoning' }),
    lacks: { refusal: { why: 'its models refuse in plain text', told: asText } },
  },
  {
    name: 'tgi',
    id: 'tgi',
    kind: 'tgi',
    model: 'tgi',
    capabilities: SEES,
    speaker: chatSpeaker({
      thoughtField: 'reasoning_content',
      hasIds: false,
      overloaded: { status: 429, body: { error: 'Model is overloaded', error_type: 'overloaded' } },
      failure: { error: 'Request failed during generation: Server error', error_type: 'generation' },
    }),
    lacks: {
      refusal: { why: 'its models refuse in plain text', told: asText },
      'parallel tools': { why: 'its answers hold one call', told: toldFor('tools') },
      'cached-token usage': { why: 'it reports no cached tokens: 0', told: toldFor('text') },
    },
  },
]

/** What the provider of a column tells to show a capability. */
export function toldBy({ lacks }: Egress, capability: Capability): Told {
  return lacks[capability]?.told ?? toldFor(capability)
}
