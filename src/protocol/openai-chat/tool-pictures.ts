/**
 * Pictures in the result of a tool, for targets that have no place for them there: OpenAI's chat completions refuse a picture outside of
 * a user's message (API reference, `ChatCompletionRequestToolMessageContentPart` is text), and vLLM leaves one out without a word. They
 * follow the results in a message of their own.
 */
import type { ImagePart, Message, TextPart } from '../request.ts'

type Result = Extract<Message, { role: 'tool' }>

/** Says whose they are: the message is a user's by its role alone. */
export const BEFORE_PICTURES = 'From the tool:'

export function hasPictures({ content }: Result): boolean {
  return typeof content !== 'string' && content.some(isPicture)
}

export function picturesOf({ content }: Result): readonly ImagePart[] {
  return typeof content === 'string' ? [] : content.filter(isPicture)
}

/** A result may be its pictures alone; its message holds a text all the same. */
export function withoutPictures(message: Result): Result {
  const texts = typeof message.content === 'string' ? [] : message.content.filter((part) => part.type === 'text')
  return { ...message, content: texts.length === 0 ? '' : texts }
}

function isPicture(part: TextPart | ImagePart): part is ImagePart {
  return part.type === 'image'
}
