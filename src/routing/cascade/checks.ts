import type { Check } from '../../gateway/checks.ts'
import type { ChatRequest } from '../../protocol/request.ts'
import type { AnswerView } from './answer-view.ts'
import type { JsonChecker } from './json-checker.ts'
import { isRefusal } from './refusal.ts'
import { endsInLoop } from './repetition.ts'

export interface CheckSettings {
  readonly checks: ReadonlySet<Check>
  /** Mean log-probability per token below which an answer is not believed; undefined = not looked at. */
  readonly minLogprob: number | undefined
}

/** What is wrong with a whole answer, the first in the order of the settings, or undefined. Pure but for the checker's memory of compiled schemas. */
export function problemOf(
  request: ChatRequest,
  answer: AnswerView,
  settings: CheckSettings,
  json: JsonChecker,
): Check | undefined {
  for (const check of settings.checks) {
    if (FAILS[check](request, answer, settings, json)) return check
  }
  return undefined
}

type Fails = (request: ChatRequest, answer: AnswerView, settings: CheckSettings, json: JsonChecker) => boolean

const FAILS: Readonly<Record<Check, Fails>> = {
  empty: (_request, answer) =>
    answer.text.trim() === '' && answer.refusal === '' && answer.calls.length === 0 && !answer.hasOther,
  json: ({ format }, answer, _settings, json) => {
    if (format === undefined || format.type === 'text') return false
    // A model that calls a tool answers in JSON later.
    if (answer.calls.length > 0 || answer.refusal !== '') return false
    return !json.fits(answer.text, format.type === 'json_schema' ? format.schema : undefined)
  },
  tools: ({ tools }, answer, _settings, json) =>
    answer.calls.some((call) => {
      const tool = tools.find((each) => each.name === call.name)
      if (tool === undefined) return true
      if (tool.kind === 'custom') return false
      return !json.fits(call.arguments === '' ? '{}' : call.arguments, tool.parameters)
    }),
  refusal: (_request, answer) =>
    answer.refusal !== '' ||
    answer.finish === 'content_filter' ||
    (answer.calls.length === 0 && isRefusal(answer.text)),
  // A cap that the caller set cuts any model; one that nobody asked for is the small model's own end.
  truncation: ({ maxOutputTokens }, answer) => answer.finish === 'length' && maxOutputTokens === undefined,
  repetition: (_request, answer) => endsInLoop(answer.text),
  logprob: (_request, answer, { minLogprob }) =>
    minLogprob !== undefined && answer.meanLogprob !== undefined && answer.meanLogprob < minLogprob,
}
