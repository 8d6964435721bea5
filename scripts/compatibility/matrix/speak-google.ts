import { ANSWER, LOGPROB } from './capabilities.ts'
import { data, halves, type Fields } from './fields.ts'
import type { Speaker } from './speaker.ts'
import type { Told } from './told.ts'

const FINISH = { stop: 'STOP', length: 'MAX_TOKENS', calls: 'STOP', refusal: 'SAFETY' } as const
const HEAD = { modelVersion: 'served', responseId: 'resp-up' }

/** Google's `generateContent`. Its models do not say why they refuse: a filter ends the candidate. */
export const googleSpeaker: Speaker = {
  whole: (told) => ({
    ...HEAD,
    candidates: told.texts.map((text, index) => candidate(told, index, partsOf(told, text), text, true)),
    usageMetadata: usageOf(told),
  }),
  stream: (told) =>
    told.texts
      .map((text, index) => {
        const parts = partsOf(told, text)
        const begun = text === '' ? [] : halves(text)
        // A thought and its signed text come apart; of a plain text there are two pieces.
        if (told.thought !== undefined || begun.length === 0)
          return parts.map((part, at) => frame(told, candidate(told, index, [part], text, at === parts.length - 1)))
        return begun.map((piece, at) => frame(told, candidate(told, index, [{ text: piece }], piece, at === 1)))
      })
      .flat()
      .join(''),
  overloaded: {
    status: 503,
    body: { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } },
  },
  broken:
    data({ ...HEAD, candidates: [{ index: 0, content: { role: 'model', parts: [{ text: halves(ANSWER)[0] }] } }] }) +
    data({ error: { code: 500, message: 'An internal error has occurred.', status: 'INTERNAL' } }),
}

function frame(told: Told, one: Fields): string {
  return data({ ...HEAD, candidates: [one], usageMetadata: usageOf(told) })
}

function candidate(told: Told, index: number, parts: readonly Fields[], text: string, isLast: boolean): Fields {
  return {
    index,
    content: { role: 'model', parts },
    ...(told.hasLogprobs ? { logprobsResult: logprobs(text) } : {}),
    ...(isLast ? { finishReason: FINISH[told.finish] } : {}),
  }
}

function partsOf({ calls, thought }: Told, text: string): readonly Fields[] {
  const signed = thought === undefined ? {} : { thoughtSignature: thought.signature }
  const parts = [
    ...(thought === undefined ? [] : [{ text: thought.text, thought: true }]),
    ...(text === '' ? [] : [{ text, ...signed }]),
    ...calls.map(({ id, name, arguments: args }) => ({ functionCall: { id, name, args: JSON.parse(args) as Fields } })),
  ]
  return parts.length === 0 ? [{ text: '' }] : parts
}

function logprobs(token: string): Fields {
  const chosen = { token, tokenId: 1, logProbability: LOGPROB }
  return { chosenCandidates: [chosen], topCandidates: [{ candidates: [chosen] }] }
}

function usageOf({ usage: { input, cached, output } }: Told): Fields {
  return {
    promptTokenCount: input,
    candidatesTokenCount: output,
    totalTokenCount: input + output,
    ...(cached === 0 ? {} : { cachedContentTokenCount: cached }),
  }
}
