/** What a caller gets, read from an answer by the words of the API that it speaks and by no code of the gateway. */
import { fields, list, quayIn, text, type Fields } from './at.ts'

export interface Got {
  /** One of each choice. */
  readonly texts: readonly string[]
  readonly calls: readonly { readonly id: string; readonly name: string; readonly quay: unknown }[]
  readonly thought: string
  readonly refusal: string
  readonly finish: string
  readonly logprobs: readonly unknown[]
  readonly usage: {
    readonly input: number
    readonly cached: number
    readonly output: number
    readonly nanoUsd: unknown
  }
}

export function gotByChat(body: Fields): Got {
  const choices = list(body['choices'])
  const message = fields(choices[0]?.['message'])
  const usage = fields(body['usage'])
  return {
    texts: choices.map((choice) => text(fields(choice['message'])['content'])),
    calls: list(message['tool_calls']).map((call) => {
      const { name, arguments: args } = fields(call['function'])
      return { id: text(call['id']), name: text(name), quay: quayIn(args) }
    }),
    thought: text(message['reasoning_content']),
    refusal: text(message['refusal']),
    finish: text(choices[0]?.['finish_reason']),
    logprobs: list(fields(choices[0]?.['logprobs'])['content']).map(({ logprob }) => logprob),
    usage: {
      input: Number(usage['prompt_tokens']),
      cached: Number(fields(usage['prompt_tokens_details'])['cached_tokens']),
      output: Number(usage['completion_tokens']),
      nanoUsd: usage['cost_nano_usd'],
    },
  }
}

export function gotByResponses(body: Fields): Got {
  const output = list(body['output'])
  const of = (type: string): readonly Fields[] => output.filter((item) => item['type'] === type)
  const parts = of('message').flatMap(({ content }) => list(content))
  const usage = fields(body['usage'])
  return {
    texts: [parts.map((part) => text(part['text'])).join('')],
    calls: of('function_call').map(({ call_id, name, arguments: args }) => ({
      id: text(call_id),
      name: text(name),
      quay: quayIn(args),
    })),
    thought: of('reasoning')
      .flatMap(({ summary, content }) => [...list(summary), ...list(content)])
      .map((part) => text(part['text']))
      .join(''),
    refusal: parts.map(({ refusal }) => text(refusal)).join(''),
    finish: text(fields(body['incomplete_details'])['reason']) || text(body['status']),
    logprobs: parts.flatMap(({ logprobs }) => list(logprobs).map(({ logprob }) => logprob)),
    usage: {
      input: Number(usage['input_tokens']),
      cached: Number(fields(usage['input_tokens_details'])['cached_tokens']),
      output: Number(usage['output_tokens']),
      nanoUsd: usage['cost_nano_usd'],
    },
  }
}

export function gotByMessages(body: Fields): Got {
  const blocks = list(body['content'])
  const of = (type: string): readonly Fields[] => blocks.filter((block) => block['type'] === type)
  const usage = fields(body['usage'])
  const cached = Number(usage['cache_read_input_tokens'])
  return {
    texts: [
      of('text')
        .map((block) => text(block['text']))
        .join(''),
    ],
    calls: of('tool_use').map(({ id, name, input }) => ({
      id: text(id),
      name: text(name),
      quay: fields(input)['quay'],
    })),
    thought: of('thinking')
      .map(({ thinking }) => text(thinking))
      .join(''),
    refusal: text(fields(body['stop_details'])['explanation']),
    finish: text(body['stop_reason']),
    logprobs: [],
    usage: {
      // Anthropic counts the parts of a prompt apart.
      input: Number(usage['input_tokens']) + cached + Number(usage['cache_creation_input_tokens']),
      cached,
      output: Number(usage['output_tokens']),
      nanoUsd: usage['cost_nano_usd'],
    },
  }
}
