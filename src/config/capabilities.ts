/** What a model can be asked for, by the wire that it is asked over. */
import type { Capability, Target, UpstreamKind } from '../gateway/steps.ts'
import { isEmbedder } from '../shared/is-embedder.ts'

export interface WireOf {
  readonly kind: UpstreamKind
  readonly api: Target['api']
  /** Its address is a provider's on the internet. */
  readonly isPublic: boolean
}

const HOSTED: readonly Capability[] = [
  'tools',
  'images',
  'json_schema',
  'logprobs',
  'custom_tools',
  'audio',
  'web_search',
]
/** What Claude can be told: no free-text tools, no log-probabilities, no sound, no web search as OpenAI has it. */
const ANTHROPIC: readonly Capability[] = ['tools', 'images', 'json_schema']
/** What Gemini can be told here: no free-text tools, no web search as OpenAI has it. */
const GOOGLE: readonly Capability[] = ['tools', 'images', 'json_schema', 'logprobs', 'audio']
/** What the Responses API can be told here: no sound, and web search only as a tool that OpenAI runs. */
const RESPONSES: readonly Capability[] = ['tools', 'images', 'json_schema', 'logprobs', 'custom_tools']
/** A model without a chat template. */
const TEXT_ALONE: readonly Capability[] = ['json_schema', 'logprobs', 'completions']
const TGI: readonly Capability[] = ['tools', 'json_schema', 'logprobs']
const ENGINE: readonly Capability[] = ['tools', 'json_schema', 'logprobs', 'completions']
const SIMULATED: readonly Capability[] = [...HOSTED, 'completions']

/** What is taken for granted of a model whose file does not say. */
export function capabilitiesOf({ kind, api, isPublic }: WireOf, model: string): readonly Capability[] {
  // TGI serves none, and Anthropic has none: a name that sounds like one is another's there.
  if (isEmbedder(model) && kind !== 'tgi' && kind !== 'anthropic') return ['embeddings']
  switch (kind) {
    case 'anthropic':
      return ANTHROPIC
    case 'google':
      return GOOGLE
    case 'tgi':
      return api === 'generate' ? TEXT_ALONE : TGI
    case 'vllm':
      return ENGINE
    case 'simulated':
      return SIMULATED
    case 'openai':
    case 'embedded':
      if (api === 'responses') return RESPONSES
      return isPublic ? HOSTED : ENGINE
    default:
      return kind satisfies never
  }
}

const ALL: ReadonlySet<Capability> = new Set([...HOSTED, 'completions', 'embeddings'])

/** The most that a wire has words for, whatever a model could do. */
export function mostOf({ kind, api }: WireOf): ReadonlySet<Capability> {
  switch (kind) {
    case 'anthropic':
      return new Set(ANTHROPIC)
    case 'google':
      return new Set(GOOGLE)
    case 'tgi':
      return new Set(api === 'generate' ? TEXT_ALONE : [...TGI, 'images'])
    case 'openai':
      return api === 'responses' ? new Set(RESPONSES) : ALL
    case 'vllm':
    case 'simulated':
    case 'embedded':
      return ALL
    default:
      return kind satisfies never
  }
}

/** Why a capability cannot be had, and what to do. `byName`: the model whose name it was taken from. */
export function lackSentence(wire: WireOf, lacking: Capability, byName: string | undefined): string {
  const { kind, api } = wire
  const asked = api === undefined ? `kind ${kind}` : `kind ${kind} with api: ${api}`
  const has = `it has ${[...mostOf(wire)].join(', ')}`
  if (byName !== undefined)
    return `by its name ${byName} makes embeddings, which ${asked} has none of here. Use an upstream of kind openai for it; if it is a chat model, say so with capabilities: [ … ] (${has}).`
  const fix = lacking === 'completions' && kind === 'tgi' ? 'Remove it, or add api: generate' : 'Remove it'
  return `models of ${asked} cannot be asked for ${lacking}. ${fix}; ${has}.`
}
