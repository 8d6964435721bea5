/** Answers in the shapes of Google's public documentation (Gemini API, v1beta), written for these tests. */
import type { Answer, SeenRequest } from './fake-upstream.ts'

export const USAGE = {
  promptTokenCount: 120,
  cachedContentTokenCount: 100,
  candidatesTokenCount: 7,
  thoughtsTokenCount: 30,
  totalTokenCount: 157,
}

export interface GeminiPart {
  readonly [field: string]: unknown
}

/** One `GenerateContentResponse` with these parts in its one candidate. */
export function response(
  parts: readonly GeminiPart[],
  more: { readonly finish?: string; readonly usage?: object } = {},
): object {
  return {
    candidates: [
      {
        content: { role: 'model', parts },
        ...(more.finish === undefined ? {} : { finishReason: more.finish }),
        index: 0,
      },
    ],
    usageMetadata: more.usage ?? USAGE,
    modelVersion: 'gemini-3-flash-preview',
    responseId: 'resp-1',
  }
}

export function isStream(request: SeenRequest): boolean {
  return request.path.includes(':streamGenerateContent')
}

/** Says these responses: streamed one by one, or (parts joined) as one. */
export function gemini(...responses: readonly object[]): Answer {
  return (request, reply) => {
    if (isStream(request)) {
      reply.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const each of responses) reply.write(`data: ${JSON.stringify(each)}\r\n\r\n`)
      reply.end()
      return
    }
    reply.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' })
    reply.end(JSON.stringify(joined(responses)))
  }
}

type Candidate = { index?: number; content?: { parts?: unknown[] }; finishReason?: string }

/** What `generateContent` says where the stream says these. */
export function joined(responses: readonly object[]): object {
  const candidates = new Map<number, Candidate>()
  for (const { candidates: list = [] } of responses as readonly { candidates?: Candidate[] }[]) {
    for (const each of list) {
      const index = each.index ?? 0
      const known = candidates.get(index)
      candidates.set(index, {
        ...known,
        ...each,
        content: { parts: [...(known?.content?.parts ?? []), ...(each.content?.parts ?? [])] },
      })
    }
  }
  return { ...responses.at(-1), ...(candidates.size === 0 ? {} : { candidates: [...candidates.values()] }) }
}
