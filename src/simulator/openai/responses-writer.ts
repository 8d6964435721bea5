import type { SimChoice } from '../compose.ts'
import { tokenize } from '../tokens.ts'
import type { UsedTokens } from '../used-tokens.ts'
import type { AnswerWriter } from '../wire.ts'
import { logprob } from './chat-body.ts'
import {
  callItem,
  hasSummary,
  isCustom,
  messageItem,
  reasoningItem,
  reasonOf,
  refusalPart,
  responseOf,
  saidBy,
  statusOf,
  textPart,
  usageOf,
  type ResponseContext,
} from './responses-items.ts'

type Call = SimChoice['toolCalls'][number]

/** Tokens per fragment of a call's arguments. */
const FRAGMENT = 3

/**
 * Writes an answer as the Responses API does (reference "Streaming events"): items one after another, each added, filled and done, all
 * events numbered, and the whole response at the end. There is one choice.
 */
export class ResponseWriter implements AnswerWriter {
  readonly contentType = 'text/event-stream; charset=utf-8'
  readonly #context: ResponseContext
  readonly #output: object[] = []
  #open: 'reasoning' | 'message' | undefined
  #isRefusal = false
  #status: 'completed' | 'incomplete' = 'completed'
  #said = ''
  #logprobs: object[] = []
  #sequence = 0

  constructor(context: ResponseContext) {
    this.#context = context
  }

  whole([choice]: readonly SimChoice[], usage: UsedTokens | undefined): object {
    if (choice === undefined) return responseOf(this.#context, 'completed', [])
    const context = this.#context
    const status = statusOf(choice)
    const text = choice.tokens.join('')
    const output = [
      ...(choice.thinking.length === 0 ? [] : [reasoningItem(context, choice.thinking.join(''))]),
      ...(text === ''
        ? []
        : [
            messageItem(context, status, [
              choice.finish === 'refusal' ? refusalPart(text) : textPart(text, this.#logprobsOf(choice.tokens)),
            ]),
          ]),
      ...choice.toolCalls.map((call) => callItem(context, call, status, saidBy(context, call))),
    ]
    return this.#ended(choice, output, usage)
  }

  begin([choice]: readonly SimChoice[]): string {
    this.#isRefusal = choice?.finish === 'refusal'
    if (choice !== undefined) this.#status = statusOf(choice)
    const response = responseOf(this.#context, 'in_progress', [])
    return this.#event('response.created', { response }) + this.#event('response.in_progress', { response })
  }

  thinking(_: number, token: string): string {
    const added = this.#start('reasoning')
    this.#said += token
    if (!hasSummary(this.#context.body)) return added
    return added + this.#event('response.reasoning_summary_text.delta', { ...this.#summary(), delta: token })
  }

  text(_: number, token: string): string {
    const added = this.#start('message')
    this.#said += token
    if (this.#isRefusal) return added + this.#event('response.refusal.delta', { ...this.#part(), delta: token })
    const logprobs = this.#logprobsOf([token])
    this.#logprobs.push(...logprobs)
    return added + this.#event('response.output_text.delta', { ...this.#part(), delta: token, logprobs })
  }

  call(_: number, __: number, call: Call): string {
    const context = this.#context
    const before = this.#stop('completed')
    const at = { output_index: this.#output.length }
    const name = isCustom(context, call) ? 'custom_tool_call_input' : 'function_call_arguments'
    const text = saidBy(context, call)
    const done = callItem(context, call, this.#status, text)
    const item = { ...at, item_id: (done as { readonly id: string }).id }
    const tokens = tokenize(text)
    const pieces: string[] = []
    for (let i = 0; i < tokens.length; i += FRAGMENT) pieces.push(tokens.slice(i, i + FRAGMENT).join(''))
    const written = [
      before,
      this.#event('response.output_item.added', { ...at, item: callItem(context, call, 'in_progress', '') }),
      ...pieces.map((delta) => this.#event(`response.${name}.delta`, { ...item, delta })),
      this.#event(`response.${name}.done`, {
        ...item,
        ...(isCustom(context, call) ? { input: text } : { arguments: text, name: call.name }),
      }),
      this.#event('response.output_item.done', { ...at, item: done }),
    ]
    this.#output.push(done)
    return written.join('')
  }

  end([choice]: readonly SimChoice[], usage: UsedTokens | undefined): string {
    const ended = choice as SimChoice
    const status = statusOf(ended)
    return this.#stop(status) + this.#event(`response.${status}`, { response: this.#ended(ended, this.#output, usage) })
  }

  failure(): string {
    const error = { code: 'server_error', message: 'The server had an error while processing your request.' }
    const response = responseOf(this.#context, 'failed', this.#output, { error })
    return this.#event('error', { ...error, param: null }) + this.#event('response.failed', { response })
  }

  #ended(choice: SimChoice, output: readonly object[], usage: UsedTokens | undefined): object {
    const reason = reasonOf(choice)
    return responseOf(this.#context, statusOf(choice), output, {
      ...(usage === undefined ? {} : { usage: usageOf(usage) }),
      ...(reason === undefined ? {} : { reason }),
    })
  }

  /** Begins an item where none of this type is open. */
  #start(type: 'reasoning' | 'message'): string {
    if (this.#open === type) return ''
    const before = this.#stop('completed')
    this.#open = type
    const added = (item: object): string =>
      this.#event('response.output_item.added', { output_index: this.#output.length, item })
    if (type === 'message') {
      const part = this.#isRefusal ? refusalPart('') : textPart('')
      return (
        before +
        added(messageItem(this.#context, 'in_progress', [])) +
        this.#event('response.content_part.added', { ...this.#part(), part })
      )
    }
    const item = added(reasoningItem(this.#context, ''))
    if (!hasSummary(this.#context.body)) return before + item
    const part = { type: 'summary_text', text: '' }
    return before + item + this.#event('response.reasoning_summary_part.added', { ...this.#summary(), part })
  }

  /** Says what the open item has become. */
  #stop(status: 'completed' | 'incomplete'): string {
    if (this.#open === undefined) return ''
    const [item, ends] = this.#open === 'reasoning' ? this.#reasoningEnd() : this.#messageEnd(status)
    const done = ends + this.#event('response.output_item.done', { output_index: this.#output.length, item })
    this.#output.push(item)
    this.#open = undefined
    this.#said = ''
    return done
  }

  #reasoningEnd(): readonly [object, string] {
    const item = reasoningItem(this.#context, this.#said)
    if (!hasSummary(this.#context.body)) return [item, '']
    const text = this.#said
    return [
      item,
      this.#event('response.reasoning_summary_text.done', { ...this.#summary(), text }) +
        this.#event('response.reasoning_summary_part.done', {
          ...this.#summary(),
          part: { type: 'summary_text', text },
        }),
    ]
  }

  #messageEnd(status: 'completed' | 'incomplete'): readonly [object, string] {
    const text = this.#said
    const part = this.#isRefusal ? refusalPart(text) : textPart(text, this.#logprobs)
    const done = this.#isRefusal
      ? this.#event('response.refusal.done', { ...this.#part(), refusal: text })
      : this.#event('response.output_text.done', { ...this.#part(), text, logprobs: this.#logprobs })
    return [
      messageItem(this.#context, status, [part]),
      done + this.#event('response.content_part.done', { ...this.#part(), part }),
    ]
  }

  #part(): object {
    return { item_id: `msg_${this.#context.id}`, output_index: this.#output.length, content_index: 0 }
  }

  #summary(): object {
    return { item_id: `rs_${this.#context.id}`, output_index: this.#output.length, summary_index: 0 }
  }

  #logprobsOf(tokens: readonly string[]): readonly object[] {
    const { include, top_logprobs: top } = this.#context.body
    return include?.includes('message.output_text.logprobs') === true
      ? tokens.map((token) => logprob(token, top ?? 0))
      : []
  }

  #event(type: string, fields: object): string {
    const data = { type, sequence_number: this.#sequence++, ...fields }
    return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
  }
}
