/** Part of the composition root: what was answered and what callers said of it, in a file beside the ledger. What goes wrong here never costs an answer. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Feedback, FeedbackService, KeptFeedback } from './gateway/feedback.ts'
import type { FinishedRequest, Reporter } from './gateway/steps.ts'
import { SwitchyardError } from './shared/errors.ts'
import { newId } from './shared/ids.ts'
import { FEEDBACK_FILE, FeedbackStore, type Decision } from './store/feedback-store.ts'

/** Answers are noted together, after this time, ms; a killed process has not noted the last of them. */
const NOTE_MS = 200
/** …or when there are this many. */
const NOTE_MOST = 256
/** Answers remembered in memory while nobody has ever sent feedback here: at least so many, and never twice as many. */
const UNWRITTEN = 5000
/** Answers remembered per tenant; about 300 bytes each. */
const MOST_PER_TENANT = 50_000
/** Between steps of about a millisecond, ms. */
const REST_MS = 20
/** After the start, and from then on, ms. */
const FIRST_MS = 2500
const EVERY_MS = 3_600_000
const DAY_MS = 86_400_000

export interface FeedbackKeeperOptions {
  readonly dataDir: string
  /** Unix milliseconds. */
  readonly wallNow: () => number
  readonly onEvent: (event: Readonly<Record<string, unknown>>) => void
}

/**
 * Writes nothing before the first feedback on an answer of this service: a row with its indexes costs several microseconds, which nobody
 * should pay who never sends any.
 */
export class FeedbackKeeper implements FeedbackService, Reporter {
  readonly #options: FeedbackKeeperOptions
  readonly #path: string
  #pending: Decision[] = []
  /** Undefined before the first feedback, or where the file cannot be used. */
  #store: FeedbackStore | undefined
  #isUsable = true
  #noting: NodeJS.Timeout | undefined
  #looking: NodeJS.Timeout | undefined
  #isTroubled = false
  #isClosed = false

  constructor(options: FeedbackKeeperOptions) {
    this.#options = options
    this.#path = join(options.dataDir, FEEDBACK_FILE)
    if (existsSync(this.#path)) this.#open()
  }

  /** Deletes what is older than it is kept, now and from time to time. */
  start(days: () => number): void {
    const look = (): void => {
      void this.#inSteps((store) => store.expireSome(this.#options.wallNow() - days() * DAY_MS)).catch(
        (error: unknown) => this.#trouble(error),
      )
      this.#looking = setTimeout(look, EVERY_MS).unref()
    }
    this.#looking = setTimeout(look, FIRST_MS).unref()
  }

  finished(record: FinishedRequest): void {
    // Nobody was asked: there is no answer to speak of.
    if (!this.#isUsable || (record.attempts === 0 && record.tier !== 'cache')) return
    this.#pending.push({
      id: record.id,
      tenant: record.tenant,
      key: record.key,
      task: record.taskId,
      atMs: this.#options.wallNow(),
      model: record.target,
      tier: record.tier,
      reason: record.reason,
      intent: record.intent,
      score: record.score,
      result: record.result,
      escalation: record.escalation,
      cost: record.cost,
    })
    if (this.#store === undefined) {
      if (this.#pending.length >= 2 * UNWRITTEN) this.#pending = this.#pending.slice(-UNWRITTEN)
    } else if (this.#pending.length >= NOTE_MOST) this.#note()
    else this.#noting ??= setTimeout(() => this.#note(), NOTE_MS).unref()
  }

  give(caller: { readonly tenant: string; readonly key: string }, feedback: Feedback): KeptFeedback | undefined {
    const { kind, id } = feedback.subject
    const isHere = (each: Decision): boolean =>
      each.tenant === caller.tenant && (kind === 'task' ? each.task : each.id) === id
    if (this.#store === undefined && this.#pending.some(isHere)) this.#open()
    this.#note()
    try {
      if (!this.#isUsable) throw new Error('the file could not be opened')
      const nowMs = this.#options.wallNow()
      return this.#store?.give(caller.tenant, caller.key, feedback, () => newId('fb_'), nowMs)
    } catch (error) {
      this.#trouble(error)
      throw new SwitchyardError('feedback_unavailable', 'Feedback cannot be kept at the moment. Send it again later.', {
        cause: error,
        detail: String(error),
      })
    }
  }

  /** Deletes everything of a tenant, or of some of its keys; gives how many rows. */
  async forget(tenant: string, keys: ReadonlySet<string> | undefined): Promise<number> {
    this.#pending = this.#pending.filter((each) => each.tenant !== tenant || keys?.has(each.key) === false)
    this.#note()
    const removed = await this.#inSteps((store) => store.forgetSome(tenant, keys))
    if (removed > 0) this.#store?.truncateLog()
    return removed
  }

  close(): void {
    this.#note()
    this.#isClosed = true
    clearTimeout(this.#looking)
    this.#store?.close()
  }

  #open(): void {
    if (!this.#isUsable) return
    try {
      this.#store = new FeedbackStore(this.#path, MOST_PER_TENANT)
    } catch (error) {
      this.#isUsable = false
      this.#pending = []
      this.#trouble(error)
    }
  }

  #note(): void {
    clearTimeout(this.#noting)
    this.#noting = undefined
    if (this.#store === undefined || this.#pending.length === 0 || this.#isClosed) return
    const decisions = this.#pending
    this.#pending = []
    try {
      this.#store.note(decisions)
      this.#isTroubled = false
    } catch (error) {
      this.#trouble(error)
    }
  }

  async #inSteps(step: (store: FeedbackStore) => number): Promise<number> {
    let removed = 0
    while (!this.#isClosed && this.#store !== undefined) {
      const some = step(this.#store)
      if (some === 0) break
      removed += some
      await delay(REST_MS)
    }
    return removed
  }

  /** Said once, until something works again. */
  #trouble(error: unknown): void {
    if (this.#isTroubled) return
    this.#isTroubled = true
    this.#options.onEvent({ event: 'feedback', what: 'cannot be kept', detail: String(error) })
  }
}

/** Deletes the feedback of a subject while no service runs. Makes no file. */
export async function forgetFeedback(
  dataDir: string,
  tenant: string,
  keys: ReadonlySet<string> | undefined,
): Promise<void> {
  if (!existsSync(join(dataDir, FEEDBACK_FILE))) return
  const trouble: { detail?: unknown } = {}
  const keeper = new FeedbackKeeper({ dataDir, wallNow: Date.now, onEvent: (event) => Object.assign(trouble, event) })
  try {
    await keeper.forget(tenant, keys)
  } finally {
    keeper.close()
  }
  if (trouble.detail !== undefined) throw new Error(`${FEEDBACK_FILE}: ${String(trouble.detail)}`)
}
