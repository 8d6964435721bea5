/** Upstreams of the file as they are used: secrets read, addresses with `/v1`, kinds that are supported. */
import type { UpstreamKind } from '../gateway/steps.ts'
import { ANTHROPIC_PRICED_FIELDS } from '../protocol/anthropic-messages/priced-fields.ts'
import { PRICED_FIELDS } from '../protocol/openai-chat/known-fields.ts'
import type { UpstreamConfig } from './config.ts'
import type { UpstreamFile } from './schema.ts'
import type { SecretReader } from './secrets.ts'

type Path = readonly (string | number)[]
type Report = (path: Path, sentence: string) => void

const SUPPORTED: readonly UpstreamKind[] = ['openai', 'anthropic', 'google', 'vllm', 'tgi', 'simulated']
const OPENAI_URL = 'https://api.openai.com/v1'
const ANTHROPIC_URL = 'https://api.anthropic.com'
const GOOGLE_URL = 'https://generativelanguage.googleapis.com'
const PRIVATE =
  /^(?:localhost|.*\.local|.*\.internal|[^.]+|127\..*|10\..*|192\.168\..*|172\.(?:1[6-9]|2\d|3[01])\..*|\[.*\])$/i

/** Reports what cannot work. */
export function resolveUpstreams(
  upstreams: Readonly<Record<string, UpstreamFile>>,
  secrets: SecretReader,
  report: Report,
): UpstreamConfig[] {
  return Object.entries(upstreams).map(([name, upstream]) => {
    const at = ['upstreams', name]
    checkSettings(upstream, at, report)
    return {
      name,
      kind: upstream.kind,
      replicas: replicasOf(upstream, at, report),
      apiKey: secrets.forHeader(upstream.apiKey, [...at, 'apiKey']),
      headers: secrets.headers(upstream.headers, [...at, 'headers']),
      timeouts: upstream.timeouts,
      retries: upstream.retries,
      breaker: upstream.breaker,
      ask: upstream.ask,
      passFields: upstream.passFields,
      ...(upstream.fetchImages.length === 0 ? {} : { fetchImages: upstream.fetchImages }),
      ...(upstream.apiVersion === undefined ? {} : { apiVersion: upstream.apiVersion }),
      ...(upstream.authHeader === undefined ? {} : { authHeader: upstream.authHeader }),
      ...(upstream.reasoningDetails === undefined ? {} : { reasoningDetails: upstream.reasoningDetails }),
    }
  })
}

/** Whether every address of an upstream is out in the world. */
export function isPublic(upstream: UpstreamConfig): boolean {
  return upstream.replicas.every((url) => !PRIVATE.test(new URL(url).hostname))
}

/** Whether every address is OpenAI's own; at Azure a deployment may have any name. */
export function isAtOpenAi(upstream: UpstreamConfig): boolean {
  return upstream.replicas.every((url) => /(?:^|\.)openai\.com$/.test(new URL(url).hostname))
}

/** Whether it speaks of thinking as OpenRouter does (`reasoning_details`), and wants it back so. */
export function isOpenRouter({ kind, replicas, reasoningDetails }: UpstreamConfig): boolean {
  if (kind !== 'openai') return false
  return reasoningDetails ?? replicas.every((url) => /(?:^|\.)openrouter\.ai$/.test(new URL(url).hostname))
}

function checkSettings(upstream: UpstreamFile, at: Path, report: Report): void {
  if (!SUPPORTED.includes(upstream.kind))
    report([...at, 'kind'], `kind ${upstream.kind} is not supported yet. Supported are ${SUPPORTED.join(', ')}.`)
  if (upstream.baseUrl !== undefined && upstream.replicas !== undefined)
    report([...at, 'replicas'], 'baseUrl and replicas exclude each other. Keep one.')
  for (const setting of ['apiVersion', 'authHeader'] as const) {
    if (upstream[setting] !== undefined && upstream.kind !== 'openai')
      report([...at, setting], `only kind openai has it (for Azure). Remove it.`)
  }
  if (upstream.reasoningDetails !== undefined && upstream.kind !== 'openai')
    report([...at, 'reasoningDetails'], 'only kind openai has it (for OpenRouter). Remove it.')
  if (upstream.fetchImages.length > 0 && upstream.kind !== 'google')
    report([...at, 'fetchImages'], 'only kind google wants pictures as bytes; others take their addresses. Remove it.')
  for (const [index, field] of upstream.passFields.entries()) {
    if (PRICED_FIELDS.has(field) || (upstream.kind === 'anthropic' && ANTHROPIC_PRICED_FIELDS.has(field)))
      report(
        [...at, 'passFields', index],
        `${field} decides what a request costs, so that callers may not send it beside what is priced. Remove it.`,
      )
  }
}

/** Base URLs that end in `/v1`, whatever a kind's convention is; empty for the simulator. */
function replicasOf(
  { kind, baseUrl, replicas, apiVersion }: UpstreamFile,
  at: Path,
  report: Report,
): readonly string[] {
  const urls = replicas ?? (baseUrl === undefined ? [] : [baseUrl])
  /** The setting that holds the address at this place. */
  const place = (index: number): Path => (replicas === undefined ? [...at, 'baseUrl'] : [...at, 'replicas', index])
  switch (kind) {
    case 'openai':
      for (const [index, url] of urls.entries()) {
        const { hostname, pathname } = new URL(url)
        // Google's OpenAI-compatible path ends otherwise: /v1beta/openai.
        // Azure's deployments lie below /openai and need the version of the interface.
        const isAzure = apiVersion !== undefined && /\/openai\/?$/.test(pathname)
        if (!/\/v1\/?$/.test(pathname) && !isAzure && !hostname.endsWith('.googleapis.com'))
          report(place(index), `the address of kind openai ends in /v1. Write ${url.replace(/\/+$/, '')}/v1.`)
      }
      return urls.length === 0 ? [OPENAI_URL] : urls.map((url) => url.replace(/\/+$/, ''))
    case 'vllm':
      if (urls.length === 0)
        report([...at, 'replicas'], 'it is missing; list the servers, as in replicas: ["http://127.0.0.1:8000"].')
      for (const [index, url] of urls.entries()) {
        if (/\/v1\/?$/.test(url))
          report(place(index), `the address of kind vllm is the server's root. Write ${url.replace(/\/v1\/?$/, '')}.`)
      }
      return urls.map((url) => `${url.replace(/\/+$/, '')}/v1`)
    case 'anthropic':
      for (const [index, url] of urls.entries()) {
        if (/\/v1\/?$/.test(url))
          report(
            place(index),
            `the address of kind anthropic is the server's root. Write ${url.replace(/\/v1\/?$/, '')}.`,
          )
      }
      return (urls.length === 0 ? [ANTHROPIC_URL] : urls).map((url) => `${url.replace(/\/+$/, '')}/v1`)
    case 'google':
      for (const [index, url] of urls.entries()) {
        if (/\/v1(?:beta)?\/?$/.test(url))
          report(
            place(index),
            `the address of kind google is the server's root. Write ${url.replace(/\/v1(?:beta)?\/?$/, '')}.`,
          )
      }
      return (urls.length === 0 ? [GOOGLE_URL] : urls).map((url) => `${url.replace(/\/+$/, '')}/v1beta`)
    case 'tgi':
      if (urls.length === 0)
        report([...at, 'replicas'], 'it is missing; list the servers, as in replicas: ["http://127.0.0.1:3000"].')
      for (const [index, url] of urls.entries()) {
        if (/\/v1\/?$/.test(url))
          report(place(index), `the address of kind tgi is the server's root. Write ${url.replace(/\/v1\/?$/, '')}.`)
      }
      return urls.map((url) => url.replace(/\/+$/, ''))
    case 'simulated':
      if (urls.length > 0)
        report(
          place(0),
          'kind simulated runs in this process and has no address. Remove it, or use kind openai for a simulator elsewhere.',
        )
      return []
    case 'embedded':
      return []
    default:
      return kind satisfies never
  }
}
