/** How often agents' conversations change their model, and what that costs their prompt caches: recorded Claude Code calls through the real router. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { askOf, callOf } from '../scripts/support/plain-call.ts'
import { readOptions } from '../scripts/support/read-options.ts'
import { makePrice } from '../src/budget/prices/make-price.ts'
import type { Target } from '../src/gateway/steps.ts'
import type { Message } from '../src/protocol/request.ts'
import { RecentAnswers } from '../src/routing/answer-memory.ts'
import { createRouter, type ModelRouter } from '../src/routing/router.ts'
import type { RouteOptions } from '../src/routing/route.ts'
import { WarmPrefixes } from '../src/routing/warm-prefix.ts'
import { toNanoUsd } from '../src/shared/money.ts'
import { seededRandom } from './support/router-lines.ts'

readOptions(
  `node benchmarks/stickiness.ts: replays ../shared/data/traces/claude-code-calls.csv.gz through the router, without a network. No options.`,
  {},
)

const FILE = new URL('../../shared/data/traces/claude-code-calls.csv.gz', import.meta.url)
/** Dollars per million tokens: input, cached, written, output. A dear and a cheap model of one provider. */
const BIG = { input: 5, cached: 0.5, written: 6.25, output: 25 }
const SMALL = { input: 1, cached: 0.1, written: 1.25, output: 5 }
/** As Anthropic's prompt cache: five minutes from the last request that read it. */
const CACHE_S = 300
const BYTES_PER_TOKEN = 3.5
/** Sessions must not overlap in the router's time. */
const SESSION_GAP_MS = 1e8

const EMPTY = askOf('', { tools: [{ kind: 'function', name: 'read' }] })
const CALL = callOf(EMPTY)

interface Row {
  readonly agent: string
  readonly atS: number
  readonly input: number
  readonly output: number
  readonly cached: number
  readonly endsInTool: boolean
  readonly answersTool: boolean
  readonly apiS: number
}

/** What one agent has sent so far. */
interface Conversation {
  readonly messages: Message[]
  /** Per target: tokens that it has seen, and when. */
  readonly seen: Map<Target, { readonly tokens: number; readonly atS: number }>
  last: { readonly target: Target; readonly row: Row; readonly number: number } | undefined
}

interface Figures {
  calls: number
  /** Calls that follow another of their conversation. */
  followers: number
  switches: number
  insideTool: number
  warmSwitches: number
  big: number
  /** Dollars that a prefix cost above what it costs a conversation that never changes its model. */
  lost: number
}

const targets = new Map([targetOf('small', SMALL), targetOf('big', BIG)].map((each) => [each.name, each]))
const sessions = readSessions()
const goals: Record<string, Pick<RouteOptions, 'targetBigShare' | 'costQuality'>> = {
  'targetBigShare: 0.3': { targetBigShare: 0.3 },
  'targetBigShare: 0.5': { targetBigShare: 0.5 },
  'costQuality: 0.5': { costQuality: 0.5 },
  'costQuality: 0.8': { costQuality: 0.8 },
}
console.log(
  `${sessions.length} sessions. Their texts are not recorded: every call gets a score of its own, uniform in [0, 1), so that its router is\n` +
    'tempted to change its mind at every call. "lost" is against a conversation that never changes its model.',
)
console.table(
  Object.fromEntries(
    Object.entries(goals).flatMap(([name, goal]) => [
      [name, rowOf(replay(goal, true))],
      [`${name}, caches not remembered`, rowOf(replay(goal, false))],
    ]),
  ),
)

function rowOf(figures: Figures): Record<string, string | number> {
  const percent = (part: number): string => `${((100 * part) / figures.followers).toFixed(2)} %`
  return {
    calls: figures.calls,
    'followers (n)': figures.followers,
    'inside an open call': figures.insideTool,
    switches: percent(figures.switches),
    'while warm': percent(figures.warmSwitches),
    'big calls': `${((100 * figures.big) / figures.calls).toFixed(1)} %`,
    'lost $': figures.lost.toFixed(2),
  }
}

function replay(goal: Pick<RouteOptions, 'targetBigShare' | 'costQuality'>, remembers: boolean): Figures {
  let nowMs = 0
  const random = seededRandom(7)
  const router = createRouter({
    targets,
    routes: { auto: { small: ['small'], big: ['big'], fallback: 'cross-tier', ...goal } },
    aliases: {},
    scorer: { score: () => random() },
    answers: new RecentAnswers(),
    ...(remembers ? { prefixes: new WarmPrefixes(() => nowMs) } : {}),
    requires: () => [],
    now: () => nowMs,
    random,
  })
  const figures: Figures = { calls: 0, followers: 0, switches: 0, insideTool: 0, warmSwitches: 0, big: 0, lost: 0 }
  for (const [at, rows] of sessions.entries()) {
    const conversations = new Map<string, Conversation>()
    for (const row of rows) {
      const conversation = conversations.get(row.agent) ?? opened(`session ${at}, ${row.agent}`)
      conversations.set(row.agent, conversation)
      nowMs = (at + 1) * SESSION_GAP_MS + row.atS * 1000
      const answered = ask(router, conversation, row, figures.calls)
      count(figures, conversation, row, answered.target)
      nowMs += row.apiS * 1000
      answered.note()
    }
  }
  return figures
}

function opened(words: string): Conversation {
  return { messages: [{ role: 'user', content: words }], seen: new Map(), last: undefined }
}

/** Sends what the agent has to say next; `note` tells the router of the answer. */
function ask(
  router: ModelRouter,
  { messages, last }: Conversation,
  row: Row,
  number: number,
): { readonly target: Target; readonly note: () => void } {
  if (last !== undefined)
    messages.push(
      row.answersTool
        ? { role: 'tool', toolCallId: `call_${last.number}`, content: 'done' }
        : { role: 'user', content: 'and now?' },
    )
  const request = { ...EMPTY, messages, bodyBytes: Math.round(row.input * BYTES_PER_TOKEN) }
  const plan = router.route({ ...CALL, request }, { taskId: undefined, taskType: 'default' })
  if (plan instanceof Promise) throw new Error('A decision without an encoder is made at once.')
  const [target] = plan.targets
  return {
    target,
    note: () => {
      const id = `call_${number}`
      const call = { type: 'tool-call', choice: 0, index: 0, id, name: 'read', arguments: '{}' } as const
      const usage = {
        input: row.input,
        cachedInput: 0,
        cacheWrite: row.input,
        output: row.output,
        reasoning: 0,
        audioInput: 0,
        audioOutput: 0,
        estimated: false,
      }
      plan.note?.(target, { events: [...(row.endsInTool ? [call] : []), { type: 'usage', usage }] })
      messages.push({
        role: 'assistant',
        content: row.endsInTool ? null : 'done',
        ...(row.endsInTool ? { toolCalls: [{ id, kind: 'function' as const, name: 'read', arguments: '{}' }] } : {}),
      })
    },
  }
}

function count(figures: Figures, conversation: Conversation, row: Row, target: Target): void {
  const { last, seen } = conversation
  figures.calls++
  if (target.name === 'big') figures.big++
  if (last !== undefined) {
    figures.followers++
    const isWarm = row.atS - last.row.atS <= CACHE_S
    const kept = isWarm ? Math.min(row.cached, last.row.input) : 0
    const own = seen.get(target)
    const hit = own !== undefined && row.atS - own.atS <= CACHE_S ? Math.min(row.cached, own.tokens) : 0
    const { written, cached } = target.name === 'big' ? BIG : SMALL
    figures.lost += (Math.max(0, kept - hit) * (written - cached)) / 1e6
    if (target !== last.target) {
      figures.switches++
      if (isWarm && kept > 0) figures.warmSwitches++
      if (last.row.endsInTool && row.answersTool) figures.insideTool++
    }
  }
  seen.set(target, { tokens: row.input, atS: row.atS })
  conversation.last = { target, row, number: figures.calls - 1 }
}

function targetOf(name: 'small' | 'big', { input, cached, written, output }: typeof BIG): Target {
  const nano = (usd: number): ReturnType<typeof toNanoUsd> => toNanoUsd(Math.round(usd * 1e9))
  const rates = {
    inputPerM: nano(input),
    cachedInputPerM: nano(cached),
    cacheWritePerM: nano(written),
    outputPerM: nano(output),
  }
  return {
    name,
    upstream: 'provider',
    kind: 'anthropic',
    model: name,
    tier: name === 'big' ? 'frontier' : 'local',
    contextTokens: undefined,
    capabilities: new Set(['tools']),
    price: makePrice(rates, 'benchmark'),
    extraBody: {},
    fallbacks: [],
  }
}

function readSessions(): readonly (readonly Row[])[] {
  const [head, ...lines] = gunzipSync(readFileSync(FILE)).toString('utf8').trim().split('\n')
  const names = (head as string).split(',')
  const byTrace = new Map<string, Row[]>()
  for (const line of lines) {
    const cells = line.split(',')
    const cell = (name: string): string => cells[names.indexOf(name)] as string
    const rows = byTrace.get(cell('trace')) ?? []
    byTrace.set(cell('trace'), rows)
    rows.push({
      agent: cell('agent'),
      atS: Number(cell('t_s')),
      input: Number(cell('in_tokens')),
      output: Number(cell('out_tokens')),
      cached: Number(cell('cached_tokens')),
      endsInTool: cell('stop') === 'tool_use',
      answersTool: cell('input_types').split('+').includes('tool_result'),
      apiS: Number(cell('api_s')),
    })
  }
  return [...byTrace.values()].map((rows) => rows.sort((a, b) => a.atS - b.atS))
}
