import { anthropicMessages } from '../../../src/protocol/anthropic-messages/dialect.ts'
import type { Dialect } from '../../../src/protocol/dialect.ts'
import { openAiChat } from '../../../src/protocol/openai-chat/dialect.ts'
import { openAiResponses } from '../../../src/protocol/openai-responses/dialect.ts'
import { askChat, askChatAgain } from './ask-chat.ts'
import { askMessages, askMessagesAgain } from './ask-messages.ts'
import { askResponses, askResponsesAgain } from './ask-responses.ts'
import type { Capability, Ingress } from './capabilities.ts'
import type { Egress } from './egresses.ts'
import type { Fields } from './fields.ts'

/** A table of the matrix: the API that a caller speaks, and what a caller would send. */
export interface Caller {
  readonly name: Ingress
  readonly title: string
  readonly path: string
  readonly dialect: Dialect
  /** The wire that speaks the same API. */
  readonly own: readonly Egress['name'][]
  ask(capability: Capability): Fields
  askAgain(body: Fields, answer: Fields): Fields
}

export const CALLERS: readonly Caller[] = [
  {
    name: 'openai-chat',
    title: 'OpenAI Chat Completions in',
    path: '/v1/chat/completions',
    dialect: openAiChat,
    own: ['openai', 'vllm', 'tgi'],
    ask: askChat,
    askAgain: askChatAgain,
  },
  {
    name: 'openai-responses',
    title: 'OpenAI Responses in',
    path: '/v1/responses',
    dialect: openAiResponses,
    own: ['openai, Responses'],
    ask: askResponses,
    askAgain: askResponsesAgain,
  },
  {
    name: 'anthropic-messages',
    title: 'Anthropic Messages in',
    path: '/v1/messages',
    dialect: anthropicMessages,
    own: ['anthropic'],
    ask: askMessages,
    askAgain: askMessagesAgain,
  },
]
