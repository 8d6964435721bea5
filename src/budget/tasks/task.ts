import type { Completion, TaskLimits, TaskState } from '../../gateway/tasks.ts'
import type { NanoUsd } from '../../shared/money.ts'
import { AnswerTimes } from './answer-times.ts'
import { KnownPrompts } from '../hold/known-prompts.ts'

/** Names of a task's books in the ledger. */
export interface TaskBooks {
  readonly usd: string
  readonly tokens: string
  readonly calls: string
}

/** One task as it is kept; its money, tokens and model calls stand in the ledger's books. */
export interface Task {
  readonly tenant: string
  readonly id: string
  /** As the caller named it. */
  readonly type: string
  readonly books: TaskBooks
  state: TaskState
  /** Paused by somebody, and not by a limit: only `resume` ends it. */
  isPausedByHand: boolean
  limits: TaskLimits
  /** Lowest budget that a header asked for, so that the same header on the next request does not undo a top-up. */
  askedUsd: NanoUsd | undefined
  metadata: Readonly<Record<string, string>>
  readonly createdMs: number
  /** First and last request, unix ms; undefined = none yet. */
  startedMs: number | undefined
  lastMs: number
  toolCalls: number
  /** Ids of answered tool calls, so that each counts once however often the transcript is sent. */
  readonly toolIds: Set<string>
  /** Of these, the calls of tools that write. */
  readonly writeIds: Set<string>
  /** Top-ups by their idempotency key: the limit that each led to. */
  readonly topUps: Map<string, { readonly asked: string; readonly limit: NanoUsd }>
  wrapUp: 'none' | 'given' | 'used'
  quality: number | undefined
  /** What `complete` said, the last time; undefined = nobody has. */
  completion: Completion | undefined
  /** These two are of this process alone. */
  readonly answers: AnswerTimes
  readonly prompts: KnownPrompts
  /** Requests under way, in this process. */
  running: number
  /** When it was last written down, unix ms. */
  writtenMs: number
  /** Its end has been counted. */
  isCounted: boolean
}

const ENDED: ReadonlySet<TaskState> = new Set(['completed', 'failed', 'stopped', 'cancelled', 'denied', 'expired'])

/** Only an end that somebody set answers 410; an idle task is opened again by its next request. */
export function hasEnded(task: Task): boolean {
  return ENDED.has(task.state) || task.state === 'completed_unverified'
}

/** A name for the books and the documents of a task that no other task of any tenant has: ids hold no line break. */
export function taskKey(tenant: string, id: string): string {
  return `${tenant.replaceAll('%', '%25').replaceAll('/', '%2F')}/${id}`
}

/** The tenant in a key of `taskKey`. */
export function tenantOf(key: string): string {
  return key.slice(0, key.indexOf('/')).replaceAll('%2F', '/').replaceAll('%25', '%')
}

export function taskBooks(tenant: string, id: string): TaskBooks {
  const key = taskKey(tenant, id)
  return { usd: `task:usd:${key}`, tokens: `task:tokens:${key}`, calls: `task:calls:${key}` }
}

export function newTask(tenant: string, id: string, type: string, limits: TaskLimits, nowMs: number): Task {
  return {
    tenant,
    id,
    type,
    books: taskBooks(tenant, id),
    state: 'running',
    isPausedByHand: false,
    limits,
    askedUsd: undefined,
    metadata: {},
    createdMs: nowMs,
    startedMs: undefined,
    lastMs: nowMs,
    toolCalls: 0,
    toolIds: new Set(),
    writeIds: new Set(),
    topUps: new Map(),
    wrapUp: 'none',
    quality: undefined,
    completion: undefined,
    answers: new AnswerTimes(),
    prompts: new KnownPrompts(),
    running: 0,
    writtenMs: 0,
    isCounted: false,
  }
}

export function encodeTask(task: Task): string {
  const {
    books: _books,
    answers: _answers,
    prompts: _prompts,
    running: _running,
    writtenMs: _writtenMs,
    ...kept
  } = task
  const { toolIds, writeIds, topUps } = kept
  return JSON.stringify({
    ...kept,
    toolIds: [...toolIds],
    ...(writeIds.size === 0 ? { writeIds: undefined } : { writeIds: [...writeIds] }),
    topUps: [...topUps],
  })
}

/** Throws what JSON.parse throws; the text is our own. */
export function decodeTask(text: string): Task {
  const kept = JSON.parse(text) as Omit<Task, 'books' | 'answers' | 'prompts' | 'toolIds' | 'writeIds' | 'topUps'> & {
    readonly toolIds: readonly string[]
    readonly writeIds?: readonly string[]
    readonly topUps: readonly (readonly [string, { readonly asked: string; readonly limit: NanoUsd }])[]
  }
  return {
    ...newTask(kept.tenant, kept.id, kept.type, kept.limits, kept.createdMs),
    ...kept,
    toolIds: new Set(kept.toolIds),
    writeIds: new Set(kept.writeIds),
    topUps: new Map(kept.topUps),
    writtenMs: kept.lastMs,
  }
}
