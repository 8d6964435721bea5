/** Which model or provider a conversation belongs to by what its last answers left in it. Pure: what was answered by whom is asked for. */
import type { Target } from '../gateway/steps.ts'
import type { Message, Signer } from '../protocol/request.ts'
import { markOfAudio, markOfSignature, marksOfCall, type Scope } from './answer-marks.ts'

/** What holds a conversation where it is. `model` counts first; where it cannot answer any more, another of the provider can read `signer`'s thinking. */
export interface Bond {
  /** Name of the target that made the open calls, the last signed thinking or the last sound. */
  readonly model: string | undefined
  /** Whose signature the conversation holds. */
  readonly signer: Signer | undefined
}

type Assistant = Extract<Message, { role: 'assistant' }>

/**
 * The bond of a conversation; undefined = it may go anywhere. A call is open while its results arrive: the model that made it is in the
 * middle of a thought. Signed thinking can be read by its own provider alone, whichever turn it is of.
 * @param modelBy Name of the target whose answer left a mark, where that is remembered.
 */
export function bondOf(
  messages: readonly Message[],
  scope: () => Scope,
  modelBy: (mark: string) => string | undefined,
): Bond | undefined {
  const last = messages.findLastIndex(({ role }) => role === 'assistant')
  if (last === -1) return undefined
  const isOpen = messages.some(({ role }, at) => at > last && role === 'tool')
  let model = isOpen ? modelOfCalls(messages[last] as Assistant, scope, modelBy) : undefined
  for (let at = last; at >= 0; at--) {
    const message = messages[at] as Message
    if (message.role !== 'assistant') continue
    const signed = signedIn(message)
    if (signed !== undefined) return { model: model ?? modelBy(signed.mark), signer: signed.signer }
    if (message.audioId !== undefined) model ??= modelBy(markOfAudio(message.audioId))
  }
  return model === undefined ? undefined : { model, signer: undefined }
}

function modelOfCalls(
  message: Assistant,
  scope: () => Scope,
  modelBy: (mark: string) => string | undefined,
): string | undefined {
  for (const { id } of message.toolCalls ?? []) {
    for (const mark of marksOfCall(id, scope())) {
      const model = modelBy(mark)
      if (model !== undefined) return model
    }
  }
  return undefined
}

/** The last thing in a message that was signed. */
function signedIn({ toolCalls, reasoning }: Assistant): { readonly mark: string; readonly signer: Signer } | undefined {
  const call = toolCalls?.findLast(({ signedBy, signature }) => signedBy !== undefined && signature !== undefined)
  if (call?.signedBy !== undefined) return { mark: markOfSignature(call.signature as string), signer: call.signedBy }
  const part = reasoning?.findLast(
    ({ signedBy, signature, redacted }) => signedBy !== undefined && (signature ?? redacted) !== undefined,
  )
  return part?.signedBy === undefined
    ? undefined
    : { mark: markOfSignature((part.signature ?? part.redacted) as string), signer: part.signedBy }
}

/** Whose signatures a target makes and can read; undefined = none. */
export function signerOf({ kind, api, signs }: Pick<Target, 'kind' | 'api' | 'signs'>): Signer | undefined {
  if (signs !== undefined) return signs
  switch (kind) {
    case 'anthropic':
    case 'google':
      return kind
    case 'openai':
      return api === 'responses' ? 'openai' : undefined
    case 'vllm':
    case 'tgi':
    case 'simulated':
    case 'embedded':
      return undefined
    default:
      return kind satisfies never
  }
}

/** The targets among `targets` that a bond holds to: the model itself, else all of the provider. Empty = none can keep it. */
export function heldTo(bond: Bond, targets: readonly Target[]): readonly Target[] {
  const model = targets.filter(({ name }) => name === bond.model)
  if (model.length > 0 || bond.signer === undefined) return model
  return targets.filter((target) => signerOf(target) === bond.signer)
}
