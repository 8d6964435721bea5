import type { Target, UpstreamKind } from '../gateway/steps.ts'
import type { Adapter } from './adapter.ts'
import { anthropicAdapter } from './anthropic/adapter.ts'
import { googleAdapter } from './google/adapter.ts'
import { openAiAdapter } from './openai/adapter.ts'
import { openAiResponsesAdapter } from './openai-responses/adapter.ts'
import { tgiAdapter, tgiTextAdapter } from './tgi/adapter.ts'

/** The adapter of a kind and, where a kind has several, of the API that the model is asked through. Kinds that are not supported yet are refused when the configuration is read. */
export function adapterOf(kind: UpstreamKind, api?: Target['api']): Adapter {
  switch (kind) {
    case 'openai':
      return api === 'responses' ? openAiResponsesAdapter : openAiAdapter
    case 'vllm':
    case 'simulated':
      return openAiAdapter
    case 'anthropic':
      return anthropicAdapter
    case 'google':
      return googleAdapter
    case 'tgi':
      return api === 'generate' ? tgiTextAdapter : tgiAdapter
    case 'embedded':
      throw new Error(`There is no adapter for upstreams of kind ${kind}.`)
    default:
      return kind satisfies never
  }
}
