import fc from 'fast-check'
import { expect } from 'vitest'
import type { AttemptState, Balance } from '../../src/budget/ledger/ledger.ts'
import { NOTE, type LedgerDriver, type OpenDriver } from './ledger-drivers.ts'

/** A second, naive ledger: keeps every attempt and adds up from scratch each time. */
interface Model {
  readonly limits: Record<string, number | undefined>
  readonly attempts: Map<
    string,
    { state: AttemptState; amounts: Record<string, number>; settled?: Record<string, number> }
  >
  hasExceeded: boolean
  past: number
}
interface Real {
  driver: LedgerDriver
}

const BOOKS = ['task', 'key', 'day'] as const

function sum(model: Model, book: string): Balance {
  const balance = { settled: 0, held: 0, unresolved: 0 }
  for (const { state, amounts, settled } of model.attempts.values()) {
    if (state === 'settled') balance.settled += settled?.[book] ?? 0
    else if (state === 'unresolved') balance.unresolved += amounts[book] ?? 0
    else if (state !== 'voided') balance.held += amounts[book] ?? 0
  }
  return balance
}

async function agrees(model: Model, real: Real): Promise<void> {
  for (const book of BOOKS) {
    const expected = sum(model, book)
    expect(await real.driver.ledger.balance(book)).toEqual(expected)
    const limit = model.limits[book]
    if (limit !== undefined && !model.hasExceeded)
      expect(expected.settled + expected.held + expected.unresolved).toBeLessThanOrEqual(limit)
  }
}

class Reserve implements fc.AsyncCommand<Model, Real> {
  readonly id: string
  readonly amounts: readonly number[]
  constructor(id: number, amounts: readonly number[]) {
    this.id = `a${id}`
    this.amounts = amounts
  }
  check(): boolean {
    return true
  }
  async run(model: Model, real: Real): Promise<void> {
    const lines = BOOKS.slice(0, this.amounts.length).map((book, i) => ({
      book,
      amount: this.amounts[i] as number,
      limit: model.limits[book],
    }))
    const known = model.attempts.get(this.id)
    const { kind } = await real.driver.ledger.reserve({ id: this.id, lines, note: NOTE, sendsAtOnce: false })
    if (known !== undefined) {
      const isSame =
        Object.keys(known.amounts).length === lines.length &&
        lines.every(({ book, amount }) => known.amounts[book] === amount)
      expect(kind).toBe(isSame ? 'replayed' : 'conflict')
      return
    }
    const fits = lines.every(({ book, amount, limit }) => {
      const { settled, held, unresolved } = sum(model, book)
      return limit === undefined || settled + held + unresolved + amount <= limit
    })
    expect(kind).toBe(fits ? 'admitted' : 'refused')
    if (fits)
      model.attempts.set(this.id, {
        state: 'reserved',
        amounts: Object.fromEntries(lines.map(({ book, amount }) => [book, amount])),
      })
  }
  toString(): string {
    return `reserve(${this.id}, ${this.amounts.join('/')})`
  }
}

type Verb = 'sent' | 'void' | 'unresolve'
const AFTER: Readonly<Record<Verb, AttemptState>> = { sent: 'sent', void: 'voided', unresolve: 'unresolved' }
const FROM: Readonly<Record<Verb, readonly AttemptState[]>> = {
  sent: ['reserved'],
  void: ['reserved', 'sent'],
  unresolve: ['sent'],
}

class Move implements fc.AsyncCommand<Model, Real> {
  readonly id: string
  readonly verb: Verb
  constructor(id: number, verb: Verb) {
    this.id = `a${id}`
    this.verb = verb
  }
  check(): boolean {
    return true
  }
  async run(model: Model, real: Real): Promise<void> {
    const attempt = model.attempts.get(this.id)
    const { kind } = await real.driver.ledger[this.verb](this.id)
    if (attempt === undefined) expect(kind).toBe('unknown')
    else if (attempt.state === AFTER[this.verb]) expect(kind).toBe('same')
    else if (FROM[this.verb].includes(attempt.state)) {
      expect(kind).toBe('done')
      attempt.state = AFTER[this.verb]
    } else expect(kind).toBe('conflict')
  }
  toString(): string {
    return `${this.verb}(${this.id})`
  }
}

class Settle implements fc.AsyncCommand<Model, Real> {
  readonly id: string
  readonly share: number
  constructor(id: number, share: number) {
    this.id = `a${id}`
    this.share = share
  }
  check(): boolean {
    return true
  }
  async run(model: Model, real: Real): Promise<void> {
    const attempt = model.attempts.get(this.id)
    const held = Object.entries(attempt?.amounts ?? { task: 1 })
    const amounts = held.map(([, amount]) => Math.floor(amount * this.share))
    const result = await real.driver.ledger.settle(this.id, amounts)
    if (attempt === undefined) expect(result.kind).toBe('unknown')
    else if (attempt.state === 'voided') expect(result.kind).toBe('conflict')
    else if (attempt.state === 'settled') {
      const isSame = held.every(([book], i) => attempt.settled?.[book] === amounts[i])
      expect(result.kind).toBe(isSame ? 'same' : 'conflict')
    } else {
      const exceeded = held.filter(([, amount], i) => (amounts[i] as number) > amount).map(([book]) => book)
      expect(result).toEqual({ kind: 'done', exceeded })
      if (exceeded.length > 0) model.hasExceeded = true
      attempt.state = 'settled'
      attempt.settled = Object.fromEntries(held.map(([book], i) => [book, amounts[i] as number]))
    }
  }
  toString(): string {
    return `settle(${this.id}, x${this.share})`
  }
}

class Crash implements fc.AsyncCommand<Model, Real> {
  check(): boolean {
    return true
  }
  async run(model: Model, real: Real): Promise<void> {
    if (real.driver.crash === undefined) return
    real.driver = await real.driver.crash()
    for (const [id, attempt] of Array.from(model.attempts)) {
      if (id.startsWith('old')) continue
      if (attempt.state === 'reserved') attempt.state = 'voided'
      else if (attempt.state === 'sent') attempt.state = 'unresolved'
      else if (attempt.state !== 'unresolved') {
        // A new process does not know attempts that had ended; what they cost stays in the books.
        model.attempts.delete(id)
        if (attempt.state === 'settled') model.attempts.set(`old${(model.past += 1)} ${id}`, attempt)
      }
    }
  }
  toString(): string {
    return 'crash()'
  }
}

const id = fc.integer({ min: 0, max: 6 })
const amount = fc.oneof(fc.integer({ min: 0, max: 400 }), fc.constant(0), fc.constant(1000))
const commands = [
  fc.tuple(id, fc.array(amount, { minLength: 1, maxLength: 3 })).map(([n, amounts]) => new Reserve(n, amounts)),
  fc.tuple(id, fc.array(amount, { minLength: 1, maxLength: 3 })).map(([n, amounts]) => new Reserve(n, amounts)),
  fc.tuple(id, fc.constantFrom<Verb>('sent', 'void', 'unresolve')).map(([n, verb]) => new Move(n, verb)),
  fc.tuple(id, fc.constantFrom(0, 0.5, 1, 1, 2)).map(([n, share]) => new Settle(n, share)),
  fc.constant(new Crash()),
]

/** In any order of steps and crashes a ledger adds up like a list of attempts and never passes a limit by itself. */
export async function ledgerLaws(open: OpenDriver, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.commands([...commands, fc.constant(new CheckBooks())], { maxCommands: 60, size: 'max' }),
      async (plan) => {
        const real: Real = { driver: await open() }
        const model: Model = {
          limits: { task: 1000, key: 700, day: undefined },
          attempts: new Map(),
          hasExceeded: false,
          past: 0,
        }
        try {
          await fc.asyncModelRun(() => ({ model, real }), plan)
          await agrees(model, real)
        } finally {
          await real.driver.close()
        }
      },
    ),
    { numRuns: runs },
  )
}

class CheckBooks implements fc.AsyncCommand<Model, Real> {
  check(): boolean {
    return true
  }
  run(model: Model, real: Real): Promise<void> {
    return agrees(model, real)
  }
  toString(): string {
    return 'check'
  }
}
