import type { AnswerShape } from '../dialect.ts'

/** An answer's id: the upstream's where it is one of this API, else our own. */
export function messageId({ id }: AnswerShape, upstreams: string | undefined): string {
  return upstreams?.startsWith('msg_') === true ? upstreams : `msg_${id}`
}
