/** An item of a conversation, checked and rebuilt: what a caller sends in `input`, and what is kept of it and of answers. */
import type { ImagePart, Phase, ReasoningPart, RefusalPart, Signer, TextPart, ToolCall, UserPart } from '../request.ts'

export type Item = { readonly id?: string } & (
  | { readonly type: 'message'; readonly role: 'user'; readonly content: string | readonly UserPart[] }
  | { readonly type: 'message'; readonly role: 'system' | 'developer'; readonly content: string | readonly TextPart[] }
  | {
      readonly type: 'message'
      readonly role: 'assistant'
      readonly content: string | readonly (TextPart | RefusalPart)[]
      readonly phase?: Phase
    }
  | { readonly type: 'call'; readonly call: ToolCall }
  | {
      readonly type: 'output'
      readonly kind: ToolCall['kind']
      readonly callId: string
      readonly content: string | readonly (TextPart | ImagePart)[]
    }
  | { readonly type: 'reasoning'; readonly part: ReasoningPart }
  /** The signature of a call that stands elsewhere. */
  | { readonly type: 'call-signature'; readonly callId: string; readonly signature: string; readonly signedBy: Signer }
)
