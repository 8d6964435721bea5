/**
 * What an OpenAI-compatible server's refusal means to our caller. The server's own words never leave the process: they may name
 * keys, hosts and other people's models. They go to the log, shortened and with anything that looks like a key masked.
 */
import { SwitchyardError, type ErrorCode, type ErrorOptions } from '../../shared/errors.ts'

const MAX_DETAIL = 500
const KEY_LIKE = /\b(?:(?:sk|pk|key|Bearer|hf|gsk|xai)[-_ ][\w.-]{6,}|AIza[\w-]{10,})/gi
const CONTEXT_WORDS = /context[ _-]?(?:length|size|window)|maximum.{0,40}tokens|too (?:many tokens|long)|input_tokens/i
const POLICY_WORDS = /content[ _-]?(?:filter|policy)|moderation|safety/i
/** Longest retry time that is passed on, ms: a day. */
const MAX_RETRY_AFTER_MS = 86_400_000

const SENTENCES: Partial<Record<ErrorCode, string>> = {
  upstream_rate_limited: 'The model server is over its rate limit.',
  upstream_auth: "The model server refused the key of this gateway. Its operator has to mend the upstream's `apiKey`.",
  upstream_payment_required: 'The model server wants to be paid before it answers this gateway again.',
  upstream_model_missing: 'The model server does not know the model or path that this gateway is configured to use.',
  upstream_redirect: 'The model server answered with a redirect, which is never followed.',
  upstream_timeout: 'The model server did not answer in time.',
  upstream_overloaded: 'The model server is overloaded.',
  upstream_error: 'The model server failed on this request.',
  upstream_garbage: 'The model server sent something that is not an answer.',
  upstream_empty: 'The model server sent an empty answer.',
  upstream_refused_request: 'The model server refused this request as invalid.',
  context_length_exceeded: 'The prompt and the requested output are longer than the context of this model.',
  content_policy_violation: 'The model server refused this content under its policy.',
}

/** The error that a status and body of an upstream stand for. */
export function fromStatus(status: number, headers: Readonly<Record<string, unknown>>, body: string): SwitchyardError {
  const detail = `upstream status ${status}: ${maskDetail(body)}`
  const code = codeOf(status, body)
  const retryAfterMs =
    code === 'upstream_rate_limited' || code === 'upstream_overloaded' ? retryAfter(headers) : undefined
  const param =
    code === 'upstream_refused_request' ? knownParam(body) : code === 'context_length_exceeded' ? 'messages' : undefined
  return failure(code, {
    detail,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(param === undefined ? {} : { param }),
  })
}

/** An error that came inside an answer with status 200: in a frame, or as the whole body. */
export function fromErrorBody(error: unknown): SwitchyardError {
  const text = maskDetail(JSON.stringify(error) ?? '')
  const options = { detail: `upstream error in a 200: ${text}` }
  if (CONTEXT_WORDS.test(text) && /400|invalid|BadRequest/i.test(text))
    return failure('context_length_exceeded', options)
  // OpenRouter sends what its provider said under the provider's own status.
  const { code } = (error ?? {}) as { code?: unknown }
  if (code === 402) return failure('upstream_payment_required', options)
  if (code === 429) return failure('upstream_rate_limited', options)
  return failure(/overloaded|"?503/i.test(text) ? 'upstream_overloaded' : 'upstream_error', options)
}

/** One of the sentences above, with what the log should know. */
export function failure(code: keyof typeof SENTENCES, options: ErrorOptions = {}): SwitchyardError {
  return new SwitchyardError(code, SENTENCES[code] ?? 'The model server failed on this request.', options)
}

function codeOf(status: number, body: string): ErrorCode {
  switch (status) {
    case 400:
    case 413:
    case 422:
      if (CONTEXT_WORDS.test(body)) return 'context_length_exceeded'
      return POLICY_WORDS.test(body) ? 'content_policy_violation' : 'upstream_refused_request'
    case 401:
    case 403:
      return 'upstream_auth'
    case 402:
      return 'upstream_payment_required'
    case 404:
    case 405:
      return 'upstream_model_missing'
    case 408:
    case 504:
      return 'upstream_timeout'
    case 429:
      return 'upstream_rate_limited'
    case 503:
    case 529:
      return 'upstream_overloaded'
    default:
      if (status >= 300 && status < 400) return 'upstream_redirect'
      return status >= 500 ? 'upstream_error' : 'upstream_garbage'
  }
}

/** `retry-after-ms`, or `retry-after` as seconds or HTTP date (RFC 9110 section 10.2.3), in ms. */
function retryAfter(headers: Readonly<Record<string, unknown>>): number | undefined {
  const ms = Number(headers['retry-after-ms'])
  if (headers['retry-after-ms'] !== undefined && ms >= 0) return Math.min(ms, MAX_RETRY_AFTER_MS)
  const value = headers['retry-after']
  if (typeof value !== 'string' || value === '') return undefined
  const seconds = Number(value)
  const wait = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1000
  return wait >= 0 ? Math.min(wait, MAX_RETRY_AFTER_MS) : undefined
}

const PARAMS: ReadonlySet<string> = new Set([
  'frequency_penalty',
  'logit_bias',
  'logprobs',
  'max_completion_tokens',
  'max_tokens',
  'messages',
  'n',
  'presence_penalty',
  'reasoning_effort',
  'response_format',
  'seed',
  'stop',
  'temperature',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
])

/** The field that the upstream blames, if it is a name that we know. */
function knownParam(body: string): string | undefined {
  const param = /"param"\s*:\s*"([a-z_]{1,32})"/.exec(body)?.[1]
  return param !== undefined && PARAMS.has(param) ? param : undefined
}

/** The beginning of a server's words for the log, without what looks like a key. */
export function maskDetail(text: string): string {
  return text.slice(0, MAX_DETAIL).replace(KEY_LIKE, '***')
}
