/**
 * `node scripts/hold-bounds.ts [DIR]`: what the bounds of a prompt cost and how wasteful they are. Time per bound by size; bound over
 * true prompt tokens on the recorded answers of real engines and, where DIR has `agent-*-text.jsonl.gz`, on agents' prompts (true =
 * o200k_base). DIR is `../shared/data/traces` by default.
 */
import { existsSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { inputTokenBound } from '../src/budget/hold/input-bound.ts'
import { OpenAiTokenizer } from '../src/budget/hold/openai-tokenizer.ts'
import type { BoundTarget } from '../src/budget/hold/prompt-rules.ts'
import { TokenCounter } from '../src/budget/hold/token-counter.ts'
import { walkedTokenBound } from '../src/budget/hold/walked-bound.ts'
import { decodeChatRequest } from '../src/protocol/openai-chat/decode-request.ts'
import type { ChatRequest } from '../src/protocol/request.ts'
import { recordedPrompts } from '../test/support/recorded-prompts.ts'
import { ENGINE_RENDERINGS, OPENAI_RENDERINGS, type Rendering } from '../test/support/renderings.ts'

const DIR = process.argv[2] ?? fileURLToPath(new URL('../../shared/data/traces', import.meta.url))
const ROUNDS = 4000
const GPT: BoundTarget = {
  kind: 'openai',
  model: 'gpt-4o',
  contextTokens: 128_000,
  extraBody: {},
  isHostedOpenAi: true,
}
const VLLM: BoundTarget = { kind: 'vllm', model: 'any', contextTokens: 32_768, extraBody: {} }
const PROSE = readFileSync(new URL('../LICENSE', import.meta.url), 'utf8').repeat(8)
const TOOLS = Array.from({ length: 20 }, (_, index) => ({
  type: 'function',
  function: {
    name: `tool_${index}`,
    description: 'Reads a file from the local file system and returns its lines with their numbers.',
    parameters: {
      type: 'object',
      properties: {
        path: { type: 'string', description: 'The absolute path of the file to read.' },
        limit: { type: 'integer', description: 'Most lines to read.', minimum: 1 },
        mode: { type: 'string', enum: ['text', 'binary', 'auto'] },
      },
      required: ['path'],
    },
  },
}))

const counter = new TokenCounter({ deadlineMs: 60_000, coldDeadlineMs: 60_000 })
const never = new AbortController().signal
const tokenizer = new OpenAiTokenizer(counter)

console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}, n = ${ROUNDS}\n`)
await speed()
waste('recorded answers of real engines (kind vllm, openai-compatible)', recordedRatios())
for (const agent of ['miniswe', 'taubench']) {
  const path = `${DIR}/agent-${agent}-text.jsonl.gz`
  if (existsSync(path)) waste(`prompts of ${agent} agents (gpt-4o)`, await agentRatios(path))
}
const renderings = {
  typescript: [OPENAI_RENDERINGS, GPT],
  llama: [ENGINE_RENDERINGS, VLLM],
  qwen: [ENGINE_RENDERINGS, VLLM],
} as const
for (const [name, [all, target]] of Object.entries(renderings))
  waste(`20 tools and 2,000 characters, as ${name} prints them`, await toolRatios(all[name] as Rendering, target))
await counter.close()

async function speed(): Promise<void> {
  const samples: readonly (readonly [name: string, request: ChatRequest])[] = [
    ['1 KB', requestOf([{ role: 'user', content: PROSE.slice(0, 900) }])],
    ['64 KB, 1 message', requestOf([{ role: 'user', content: PROSE.slice(0, 65_000) }])],
    ['64 KB, 100 messages', requestOf(conversation(PROSE))],
    ['64 KB, Chinese', requestOf(conversation('交换机决定每个请求的去向。'.repeat(1700), 220))],
    ['12 KB of it 20 tools', requestOf([{ role: 'user', content: PROSE.slice(0, 2000) }], TOOLS)],
  ]
  for (const [name, request] of samples) {
    const cells = [
      ['cheap, OpenAI', () => inputTokenBound(request, GPT)] as const,
      ['cheap, engine', () => inputTokenBound(request, VLLM)] as const,
      ['walked, engine', () => walkedTokenBound(request, VLLM)] as const,
    ].map(([what, run]) => `${what} ${micros(run)}`)
    console.log(`${name.padEnd(22)} ${cells.join('   ')}`)
  }
  const big = samples[1]?.[1] as ChatRequest
  const before = process.memoryUsage.rss()
  let from = performance.now()
  await tokenizer.refine(big, GPT, never)
  const firstMs = performance.now() - from
  const mib = (process.memoryUsage.rss() - before) / 1024 / 1024
  console.log(
    `\ntokenizer: first count (thread and vocabulary) ${firstMs.toFixed(0)} ms, ${mib.toFixed(0)} MiB more resident`,
  )
  from = performance.now()
  await tokenizer.refine(big, GPT, never)
  console.log(`tokenizer: 64 KB again ${(performance.now() - from).toFixed(1)} ms`)
}

function micros(run: () => unknown): string {
  for (let i = 0; i < ROUNDS; i++) run()
  const times = Float64Array.from({ length: ROUNDS }, () => {
    const from = performance.now()
    run()
    return (performance.now() - from) * 1000
  }).sort()
  const at = (share: number): string => (times[Math.floor(share * ROUNDS)] as number).toFixed(1)
  return `p50 ${at(0.5)} p99 ${at(0.99)} us`
}

interface Ratios {
  readonly cheap: number[]
  readonly walked: number[]
  readonly exact: number[]
}

function recordedRatios(): Ratios {
  const ratios: Ratios = { cheap: [], walked: [], exact: [] }
  for (const engine of ['vllm-0.32.0', 'llamacpp-b11549', 'transformers-serve-5.19.0']) {
    for (const { request, promptTokens } of recordedPrompts(engine)) {
      // Without the allowance for templates, which is a fixed 1,024 tokens and hides the rest for prompts of 34.
      const target = { ...VLLM, templateTokens: 24 }
      ratios.cheap.push(inputTokenBound(request, target).tokens / promptTokens)
      ratios.walked.push(walkedTokenBound(request, target).tokens / promptTokens)
    }
  }
  return ratios
}

async function agentRatios(path: string): Promise<Ratios> {
  const ratios: Ratios = { cheap: [], walked: [], exact: [] }
  let prompt: string[] = []
  for (const line of gunzipSync(readFileSync(path)).toString().trim().split('\n')) {
    const { keep, add } = JSON.parse(line) as { readonly keep: number; readonly add: string }
    prompt = prompt.slice(0, keep).concat(Array.from(add))
    const content = prompt.join('')
    const request = requestOf([{ role: 'user', content }])
    const truth = await counter.count('o200k_base', [content], never)
    if (truth === undefined || truth === 0) continue
    // 3 tokens a message, 1 for its role, 3 for the answer (OpenAI cookbook).
    const tokens = truth + 7
    ratios.cheap.push(inputTokenBound(request, GPT).tokens / tokens)
    ratios.walked.push(walkedTokenBound(request, GPT).tokens / tokens)
    ratios.exact.push(((await tokenizer.refine(request, GPT, never)) ?? Number.NaN) / tokens)
  }
  return ratios
}

async function toolRatios(render: Rendering, target: BoundTarget): Promise<Ratios> {
  const request = requestOf([{ role: 'user', content: PROSE.slice(0, 2000) }], TOOLS)
  const truth = (await counter.count('o200k_base', [render(request)], never)) ?? Number.NaN
  const exact = await tokenizer.refine(request, target, never)
  return {
    cheap: [inputTokenBound(request, target).tokens / truth],
    walked: [walkedTokenBound(request, target).tokens / truth],
    exact: exact === undefined ? [] : [exact / truth],
  }
}

function waste(name: string, ratios: Ratios): void {
  console.log(`\nbound / true tokens, ${name}, n = ${ratios.cheap.length}`)
  for (const [bound, list] of Object.entries(ratios) as [string, number[]][]) {
    if (list.length === 0) continue
    const sorted = list.toSorted((a, b) => a - b)
    const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] as number).toFixed(2)
    console.log(`  ${bound.padEnd(8)} min ${at(0)}  p50 ${at(0.5)}  p95 ${at(0.95)}  max ${at(1)}`)
  }
}

function conversation(text: string, chars = 650): readonly object[] {
  return Array.from({ length: 100 }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: text.slice(index * chars, (index + 1) * chars),
  }))
}

function requestOf(messages: readonly object[], tools?: readonly object[]): ChatRequest {
  const text = JSON.stringify({ model: 'auto', messages, tools })
  return decodeChatRequest(JSON.parse(text), { bodyBytes: Buffer.byteLength(text), unknownFields: 'drop' })
}
