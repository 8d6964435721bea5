/** Hard rules: which targets can take a request at all. They come before any score. */
import type { Capability, Target } from '../gateway/steps.ts'
import { SwitchyardError } from '../shared/errors.ts'
import { fitsContext, type RequestSize } from './request-size.ts'

export interface Needs {
  readonly capabilities: readonly Capability[]
  readonly size: RequestSize
}

/** How well a target can take a request; `tight` = its context is too small by estimate, though perhaps not in truth. */
export type Fit = 'fits' | 'tight' | 'lacks'

export function fitOf(target: Target, needs: Needs): Fit {
  for (const capability of needs.capabilities) if (!target.capabilities.has(capability)) return 'lacks'
  return BY_CONTEXT[fitsContext(needs.size, target.contextTokens)]
}

const BY_CONTEXT = { yes: 'fits', maybe: 'tight', no: 'lacks' } as const

/** The field of the body that asks for a capability, and the code where no model has it. */
const ASKED_BY: Readonly<Record<Capability, { readonly param: string; readonly what: string }>> = {
  tools: { param: 'tools', what: 'take tools' },
  custom_tools: { param: 'tools', what: 'take custom tools' },
  images: { param: 'messages', what: 'take images' },
  audio: { param: 'messages', what: 'take or give audio' },
  json_schema: { param: 'response_format', what: 'keep to a JSON schema' },
  web_search: { param: 'web_search_options', what: 'search the web' },
  logprobs: { param: 'logprobs', what: 'give log-probabilities' },
  embeddings: { param: 'model', what: 'make embeddings' },
  completions: { param: 'prompt', what: 'go on with a raw prompt; send messages to /v1/chat/completions' },
}

/** The refusal for a request that none of `targets` can take; names what the nearest of them lacks. */
export function refusal(model: string, targets: readonly Target[], needs: Needs): SwitchyardError {
  const lacking = (target: Target): Capability[] =>
    needs.capabilities.filter((capability) => !target.capabilities.has(capability))
  const nearest = targets.map(lacking).sort((a, b) => a.length - b.length)[0] ?? []
  const [missing] = nearest
  if (missing !== undefined) {
    const { param, what } = ASKED_BY[missing]
    return new SwitchyardError('unsupported_parameter', `No model behind \`${model}\` can ${what}.`, { param })
  }
  const largest = Math.max(0, ...targets.map((target) => target.contextTokens ?? 0))
  const { outputCap } = needs.size
  const param = outputCap > largest ? 'max_completion_tokens' : 'messages'
  return new SwitchyardError(
    'context_length_exceeded',
    `The request is too long for every model behind \`${model}\`: the longest context has ${largest} tokens` +
      `${outputCap > 0 ? `, of which up to ${outputCap} are asked for as output` : ''}.`,
    { param },
  )
}
