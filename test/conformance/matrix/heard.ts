/** What a provider is asked, read from the body that it got by the words of its own API and by no code of the gateway. */
import { fields, list, pictureIn, quayIn, text, type Fields } from './at.ts'

export interface HeardCall {
  readonly id: string
  readonly name: string
  readonly quay: unknown
}

export interface Heard {
  /** Of users, in their order. */
  readonly texts: readonly string[]
  readonly pictures: readonly string[]
  readonly tools: readonly string[]
  readonly calls: readonly HeardCall[]
  readonly results: readonly { readonly id: string; readonly text: string }[]
  readonly thoughts: readonly { readonly text: string; readonly signature: string }[]
  readonly schema: unknown
  readonly stop: unknown
  readonly cap: unknown
  readonly topLogprobs: unknown
  readonly wantsLogprobs: boolean
  readonly seed: unknown
  readonly n: unknown
  readonly isStream: boolean
}

/** OpenAI's chat completions, vLLM's and TGI's. */
export function heardByChat(body: Fields): Heard {
  const messages = list(body['messages'])
  const of = (role: string): readonly Fields[] => messages.filter((message) => message['role'] === role)
  const parts = messages.flatMap(({ content }) => list(content))
  const format = fields(body['response_format'])
  return {
    texts: of('user').flatMap(({ content }) => (typeof content === 'string' ? [content] : textsOf(content))),
    pictures: parts.flatMap(({ image_url }) => pictureIn(fields(image_url)['url'])),
    tools: list(body['tools']).map((tool) => text(fields(tool['function'])['name'])),
    calls: of('assistant').flatMap(({ tool_calls }) =>
      list(tool_calls).map((call) => {
        const { name, arguments: args } = fields(call['function'])
        return { id: text(call['id']), name: text(name), quay: quayIn(args) }
      }),
    ),
    results: of('tool').map(({ tool_call_id, content }) => ({
      id: text(tool_call_id),
      text: typeof content === 'string' ? content : textsOf(content).join(''),
    })),
    thoughts: of('assistant').flatMap(({ reasoning_content }) =>
      reasoning_content === undefined ? [] : [{ text: text(reasoning_content), signature: '' }],
    ),
    schema: fields(format['json_schema'])['schema'] ?? format['value'],
    stop: body['stop'],
    cap: body['max_completion_tokens'] ?? body['max_tokens'],
    topLogprobs: body['top_logprobs'],
    wantsLogprobs: body['logprobs'] === true,
    seed: body['seed'],
    n: body['n'],
    isStream: body['stream'] === true,
  }
}

export function heardByResponses(body: Fields): Heard {
  const input = list(body['input'])
  const of = (type: string): readonly Fields[] => input.filter((item) => item['type'] === type)
  const parts = input.flatMap(({ content, output }) => [...list(content), ...list(output)])
  const include = Array.isArray(body['include']) ? (body['include'] as readonly unknown[]) : []
  return {
    texts: input
      .filter((item) => item['role'] === 'user')
      .flatMap(({ content }) => (typeof content === 'string' ? [content] : textsOf(content))),
    pictures: parts.flatMap(({ image_url }) => pictureIn(image_url)),
    tools: list(body['tools']).map(({ name }) => text(name)),
    calls: of('function_call').map(({ call_id, name, arguments: args }) => ({
      id: text(call_id),
      name: text(name),
      quay: quayIn(args),
    })),
    results: of('function_call_output').map(({ call_id, output }) => ({
      id: text(call_id),
      text: typeof output === 'string' ? output : textsOf(output).join(''),
    })),
    thoughts: of('reasoning').map(({ summary, encrypted_content }) => ({
      text: textsOf(summary).join(''),
      signature: text(encrypted_content),
    })),
    schema: fields(fields(body['text'])['format'])['schema'],
    stop: body['stop'],
    cap: body['max_output_tokens'],
    topLogprobs: body['top_logprobs'],
    wantsLogprobs: include.includes('message.output_text.logprobs'),
    seed: body['seed'],
    n: body['n'],
    isStream: body['stream'] === true,
  }
}

export function heardByAnthropic(body: Fields): Heard {
  const messages = list(body['messages'])
  const blocks = messages.flatMap(({ content }) => list(content))
  const of = (type: string, among = blocks): readonly Fields[] => among.filter((block) => block['type'] === type)
  const results = of('tool_result')
  const inResults = results.flatMap(({ content }) => list(content))
  return {
    texts: messages.filter(({ role }) => role === 'user').flatMap(({ content }) => textsOf(content)),
    pictures: of('image', [...blocks, ...inResults]).map(({ source }) => text(fields(source)['data'])),
    tools: list(body['tools']).map(({ name }) => text(name)),
    calls: of('tool_use').map(({ id, name, input }) => ({
      id: text(id),
      name: text(name),
      quay: fields(input)['quay'],
    })),
    results: results.map(({ tool_use_id, content }) => ({ id: text(tool_use_id), text: textsOf(content).join('') })),
    thoughts: of('thinking').map(({ thinking, signature }) => ({ text: text(thinking), signature: text(signature) })),
    schema: fields(fields(body['output_config'])['format'])['schema'],
    stop: body['stop_sequences'],
    cap: body['max_tokens'],
    topLogprobs: undefined,
    wantsLogprobs: false,
    seed: body['seed'],
    n: body['n'],
    isStream: body['stream'] === true,
  }
}

export function heardByGoogle(body: Fields, path: string): Heard {
  const contents = list(body['contents'])
  const parts = contents.flatMap((content) => list(content['parts']))
  const results = parts.flatMap(({ functionResponse }) =>
    functionResponse === undefined ? [] : [fields(functionResponse)],
  )
  const media = [...parts, ...results.flatMap((result) => list(result['parts']))]
  const config = fields(body['generationConfig'])
  const thoughts = parts.filter(({ thought }) => thought === true)
  const signature = parts.map(({ thoughtSignature }) => text(thoughtSignature)).find((each) => each !== '') ?? ''
  return {
    texts: contents.filter(({ role }) => role === 'user').flatMap((content) => textsOf(content['parts'])),
    pictures: media.flatMap(({ inlineData }) => (inlineData === undefined ? [] : [text(fields(inlineData)['data'])])),
    tools: list(body['tools']).flatMap((tool) => list(tool['functionDeclarations']).map(({ name }) => text(name))),
    calls: parts.flatMap(({ functionCall }) => {
      const { id, name, args } = fields(functionCall)
      return functionCall === undefined ? [] : [{ id: text(id), name: text(name), quay: fields(args)['quay'] }]
    }),
    results: results.map(({ id, response }) => ({ id: text(id), text: text(fields(response)['output']) })),
    thoughts: thoughts.map((part) => ({ text: text(part['text']), signature })),
    schema: config['responseJsonSchema'],
    stop: config['stopSequences'],
    cap: config['maxOutputTokens'],
    topLogprobs: config['logprobs'],
    wantsLogprobs: config['responseLogprobs'] === true,
    seed: config['seed'],
    n: config['candidateCount'],
    isStream: path.includes(':streamGenerateContent'),
  }
}

function textsOf(parts: unknown): readonly string[] {
  return list(parts).flatMap((part) => (typeof part['text'] === 'string' ? [part['text']] : []))
}
