/** Part of the composition root: what is done with the ledger beside requests. The same for the service and for a command that runs alone. */
import type { DatabaseSync } from 'node:sqlite'
import { FORGOTTEN, forgetSteps, type Forgotten } from './budget/upkeep/forget.ts'
import { RETENTION } from './budget/upkeep/fold.ts'
import type { JournaledLedger } from './budget/ledger/journaled-ledger.ts'
import { runPaced } from './budget/upkeep/paced.ts'
import { Reconciler } from './budget/upkeep/reconcile.ts'
import { keptFrom, retentionSteps } from './budget/upkeep/retention.ts'
import type { Task } from './budget/tasks/task.ts'
import { openUpkeepConnection } from './budget/upkeep/upkeep-connection.ts'
import type { ForgetResult, LedgerService } from './control/ledger-operations.ts'
import type { SubjectKeys } from './control/subject-keys.ts'
import { SwitchyardError } from './shared/errors.ts'
import type { Durability } from './store/sqlite-file.ts'

/** Between steps of about a millisecond: at most a tenth of the time. */
const REST_MS = 20
const STEPS_PER_COMMIT = 25
/** How often is looked whether a new day has begun, ms. */
const LOOK_MS = 3_600_000
/** After the start, when the first requests have been answered, ms. */
const FIRST_MS = 2000
/** How long a forgotten tenant's last commits are waited for, ms. */
const SETTLE_MS = 5000
const LAST_RUN = 'last-run'
const DAY_MS = 86_400_000

export interface UpkeepOptions {
  readonly path: string
  readonly durability: Durability
  readonly ledger: JournaledLedger
  /** Tasks in memory; none where a command runs alone. */
  readonly tasks:
    | {
        peek(tenant: string, id: string): Task | undefined
        drop(isGone: (task: Task) => boolean): void
        running(tenant: string): readonly Task[]
      }
    | undefined
  readonly keys: () => SubjectKeys
  /** Takes the event log's lines of a subject out; gives their number. */
  readonly forgetEvents: (tenant: string, requests: ReadonlySet<string> | undefined) => Promise<number>
  /** Deletes stored responses of a tenant, or of some of its keys; gives their number. */
  readonly forgetResponses: (tenant: string, keys: ReadonlySet<string> | undefined) => Promise<number>
  /** Takes the event log's lines of before a moment (unix ms) out. */
  readonly expireEvents: (beforeMs: number) => Promise<unknown>
  readonly retention: () => { readonly attemptsDays: number; readonly eventsDays: number }
  readonly idleMs: () => number
  /** Unix milliseconds. */
  readonly wallNow: () => number
  readonly onEvent: (event: Readonly<Record<string, unknown>>) => void
}

/** Reconciling, retention and forgetting, on a connection of its own that never waits for another's lock. */
export class Upkeep implements LedgerService {
  readonly reconciler: Reconciler
  readonly #options: UpkeepOptions
  readonly #db: DatabaseSync
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #keptFrom = ''
  /** What runs; one thing at a time. */
  #work: Promise<unknown> = Promise.resolve()

  constructor(options: UpkeepOptions) {
    this.#options = options
    const { path, durability, ledger, wallNow } = options
    this.#db = openUpkeepConnection(path, durability)
    const all = this.#db.prepare('SELECT text FROM documents WHERE kind = ?')
    this.reconciler = new Reconciler({
      ledger,
      wallNow,
      documents: (kind) => (all.all(kind) as { text: string }[]).map(({ text }) => text),
    })
  }

  /** Retention now and whenever a day begins. */
  start(): void {
    const look = (): void => {
      void this.retain().catch((error: unknown) =>
        this.#options.onEvent({ event: 'retention', what: 'failed', detail: String(error) }),
      )
      this.#timer = setTimeout(look, LOOK_MS)
      this.#timer.unref()
    }
    this.#timer = setTimeout(look, FIRST_MS)
    this.#timer.unref()
  }

  /** Deletes what is older than is to be kept. Nothing to do twice on one day. */
  retain(): Promise<void> {
    return this.#alone(async () => {
      const { wallNow, retention, idleMs, tasks, expireEvents } = this.#options
      const { attemptsDays, eventsDays } = retention()
      const before = keptFrom(wallNow(), attemptsDays)
      if (before === this.#keptFrom) return
      const steps = retentionSteps(this.#db, {
        before,
        idleBefore: wallNow() - idleMs(),
        evict: (books) => this.#evict(books),
        isLive: (tenant, id) => tasks?.peek(tenant, id) !== undefined,
      })
      if (!(await this.#run(steps))) return
      this.#keptFrom = before
      await expireEvents(wallNow() - eventsDays * DAY_MS)
    })
  }

  forget(tenant: string, user: string | undefined): Promise<ForgetResult> {
    return this.#alone(() => this.#forget(tenant, user))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#work.catch(() => {})
    this.#db.close()
  }

  async #forget(tenant: string, user: string | undefined): Promise<ForgetResult> {
    const { ledger, tasks, keys, forgetEvents, forgetResponses } = this.#options
    const subjectKeys = keys()
    const { made, inFile } = subjectKeys.of(tenant, user)
    const names = new Set(made)
    if (tenant === FORGOTTEN)
      throw new SwitchyardError('invalid_value', 'tenant: it stands for those that are forgotten.', { param: 'tenant' })
    if (user !== undefined && made.length === 0) {
      const sentence = `No made key of tenant "${tenant}" belongs to "${user}". "switchyard keys list" shows whose keys there are.`
      throw new SwitchyardError('key_not_found', sentence, { param: 'user' })
    }
    const subject = { tenant, keys: user === undefined ? undefined : names }
    this.#refuseOpen(tenant, subject.keys)
    // Before anything goes, so that nothing new comes.
    subjectKeys.revoke(tenant, user)
    const untilMs = performance.now() + SETTLE_MS
    do await ledger.written()
    while (!this.#isSettled(tenant, subject.keys) && performance.now() < untilMs)
    this.#refuseOpen(tenant, subject.keys)
    const requests = user === undefined ? undefined : this.#requestsOf(tenant, names)
    if (user === undefined) tasks?.drop((task) => task.tenant === tenant)
    const count: Forgotten = { attempts: 0, tasks: 0, totals: 0 }
    const evict = (books: ReadonlySet<string>): ReadonlySet<string> => this.#evict(books)
    if (!(await this.#run(forgetSteps(this.#db, { subject, evict, count }))))
      throw new SwitchyardError('draining', 'The service is stopping; say it again when it runs.')
    // What was deleted is zeros by now; here the log that had it goes as well, unless somebody reads in it.
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    const events = await forgetEvents(tenant, requests)
    const responses = await forgetResponses(tenant, subject.keys)
    subjectKeys.forget(tenant, user)
    return { ...count, keys: made.length, keysInFile: inFile, events, responses }
  }

  /** Throws where money of the subject is still open: its names are needed to book it. */
  #refuseOpen(tenant: string, keys: ReadonlySet<string> | undefined): void {
    const open = [...this.#options.ledger.books.open()].filter(
      ({ note }) => note.tenant === tenant && (keys === undefined || keys.has(note.key)),
    )
    const unresolved = open.filter(({ state }) => state === 'unresolved').length
    if (unresolved > 0) {
      const sentence = `${unresolved} of its attempts are unresolved. Settle them first: "switchyard ledger reconcile" shows them.`
      throw new SwitchyardError('task_conflict', sentence, { param: 'tenant' })
    }
    const running = keys === undefined ? (this.#options.tasks?.running(tenant).length ?? 0) : 0
    if (open.length + running > 0) {
      throw new SwitchyardError('task_conflict', 'Requests of it are under way. Revoke its keys, and say it again.', {
        param: 'tenant',
      })
    }
  }

  #isSettled(tenant: string, keys: ReadonlySet<string> | undefined): boolean {
    for (const { note } of this.#options.ledger.books.open())
      if (note.tenant === tenant && (keys === undefined || keys.has(note.key))) return false
    return true
  }

  /** Ids of the requests whose attempts are kept; an attempt's id is its request's and a number. */
  #requestsOf(tenant: string, keys: ReadonlySet<string>): ReadonlySet<string> {
    const rows = this.#db
      .prepare('SELECT id FROM attempts WHERE tenant = ? AND key IN (SELECT value FROM json_each(?))')
      .all(tenant, JSON.stringify([...keys])) as { id: string }[]
    return new Set(rows.map(({ id }) => id.slice(0, id.lastIndexOf('/'))))
  }

  #evict(books: ReadonlySet<string>): ReadonlySet<string> {
    const inMemory = this.#options.ledger.books
    if ([...books].some((book) => inMemory.knows(book))) inMemory.evict(({ id }) => books.has(id))
    return new Set([...books].filter((book) => !inMemory.knows(book)))
  }

  #run(steps: Iterator<boolean, void>): Promise<boolean> {
    const { ledger, tasks, wallNow } = this.#options
    return runPaced(steps, {
      restMs: tasks === undefined ? 0 : REST_MS,
      isOver: () => this.#isClosed,
      every: STEPS_PER_COMMIT,
      breathe: () => {
        ledger.write(RETENTION, LAST_RUN, new Date(wallNow()).toISOString())
        return ledger.written()
      },
    })
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#work.catch(() => {}).then(work)
    this.#work = result
    return result
  }
}
