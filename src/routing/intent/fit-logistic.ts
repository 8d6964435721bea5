/**
 * Multinomial logistic regression with an L2 penalty, by L-BFGS (Nocedal and Wright, "Numerical Optimization", algorithm 7.4). Nothing in it
 * is random: the same rows in the same order give the same weights.
 */
import type { LinearClasses } from './linear-classes.ts'

export interface LabelledRows {
  readonly dimensions: number
  /** Rows of `dimensions`, one after the other. */
  readonly vectors: Float32Array
  /** Class of each row, from 0. */
  readonly labels: Uint16Array
  readonly classes: number
}

export interface FitOptions {
  /** Weight of the rows against the penalty (scikit-learn's C). */
  readonly fit: number
  readonly iterations?: number
}

/** Multiply-adds between two yields: some milliseconds, so that requests are answered in between. */
const WORK = 4_000_000
const MEMORY = 8
const DEFAULT_ITERATIONS = 60
/** It has arrived when the gradient is this small beside that of the start. */
const TOLERANCE = 5e-3
/** A row that is right by more than this moves nothing. */
const NEGLIGIBLE = 3e-5

/** To be run to its end, at once or a piece at a time. */
export function* fitLogistic(rows: LabelledRows, options: FitOptions): Generator<void, LinearClasses> {
  const { classes, dimensions } = rows
  const size = classes * (dimensions + 1)
  let at = new Float64Array(size)
  let gradient = new Float64Array(size)
  let loss = yield* lossAt(rows, options.fit, at, gradient)
  const enough = TOLERANCE * lengthOf(gradient)
  const steps: Float64Array[] = []
  const turns: Float64Array[] = []
  const most = options.iterations ?? DEFAULT_ITERATIONS
  for (let iteration = 0; iteration < most && lengthOf(gradient) > enough; iteration++) {
    const direction = descent(gradient, steps, turns)
    const slope = dot(gradient, direction)
    let stride = iteration === 0 ? 1 / Math.max(1, lengthOf(gradient)) : 1
    const next = new Float64Array(size)
    const nextGradient = new Float64Array(size)
    let nextLoss = loss
    for (let trial = 0; trial < 20; trial++, stride /= 2) {
      for (let i = 0; i < size; i++) next[i] = (at[i] as number) + stride * (direction[i] as number)
      nextLoss = yield* lossAt(rows, options.fit, next, nextGradient)
      if (nextLoss <= loss + 1e-4 * stride * slope) break
    }
    // No step helps: this is as good as numbers of this length get.
    if (!(nextLoss < loss)) break
    const step = next.map((value, i) => value - (at[i] as number))
    const turn = nextGradient.map((value, i) => value - (gradient[i] as number))
    if (dot(step, turn) > 1e-12) {
      steps.push(step)
      turns.push(turn)
      if (steps.length > MEMORY) {
        steps.shift()
        turns.shift()
      }
    }
    at = next
    gradient = nextGradient
    loss = nextLoss
  }
  return {
    classes,
    dimensions,
    weights: Float32Array.from(at.subarray(0, classes * dimensions)),
    biases: Float32Array.from(at.subarray(classes * dimensions)),
  }
}

/** Runs what may be run in pieces at once. */
export function atOnce<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
  }
}

/** 0.5 |W|^2 + fit * sum of the rows' losses; the biases are free. Its gradient goes into `gradient`. */
function* lossAt(
  { classes, dimensions, vectors, labels }: LabelledRows,
  fit: number,
  at: Float64Array,
  gradient: Float64Array,
): Generator<void, number> {
  const biasesAt = classes * dimensions
  gradient.fill(0)
  const logits = new Float64Array(classes)
  const row = new Float64Array(dimensions)
  const rows = labels.length
  let loss = 0
  let work = 0
  for (let i = 0; i < rows; i++) {
    const label = labels[i] as number
    row.set(vectors.subarray(i * dimensions, (i + 1) * dimensions))
    valuesOf(at, row, biasesAt, logits)
    loss += toPulls(logits, label)
    for (let each = 0; each < classes; each++) {
      const pull = fit * (logits[each] as number)
      gradient[biasesAt + each] = (gradient[biasesAt + each] as number) + pull
      if (Math.abs(pull) > NEGLIGIBLE * fit) addRow(gradient, each * dimensions, pull, row)
    }
    work += classes * dimensions
    if (work < WORK) continue
    work = 0
    yield
  }
  let squares = 0
  for (let i = 0; i < biasesAt; i++) {
    const weight = at[i] as number
    squares += weight * weight
    gradient[i] = (gradient[i] as number) + weight
  }
  return 0.5 * squares + fit * loss
}

/** The value of each class for a row. Two classes at once: each number of the row is read once for both. */
function valuesOf(at: Float64Array, row: Float64Array, biasesAt: number, into: Float64Array): void {
  const { length } = row
  const classes = into.length
  for (let each = 0; each < classes; each += 2) {
    const first = each * length
    const second = each + 1 < classes ? first + length : first
    let a0 = 0
    let a1 = 0
    let b0 = 0
    let b1 = 0
    for (let i = 0; i + 1 < length; i += 2) {
      const x = row[i] as number
      const y = row[i + 1] as number
      a0 += (at[first + i] as number) * x
      a1 += (at[first + i + 1] as number) * y
      b0 += (at[second + i] as number) * x
      b1 += (at[second + i + 1] as number) * y
    }
    if (length % 2 === 1) {
      const x = row[length - 1] as number
      a0 += (at[first + length - 1] as number) * x
      b0 += (at[second + length - 1] as number) * x
    }
    into[each] = a0 + a1 + (at[biasesAt + each] as number)
    if (each + 1 < classes) into[each + 1] = b0 + b1 + (at[biasesAt + each + 1] as number)
  }
}

/** Turns the values of a row into how far each class's probability is from what it should be. The row's loss. */
function toPulls(logits: Float64Array, label: number): number {
  const { length } = logits
  let most = -Infinity
  for (let each = 0; each < length; each++) if ((logits[each] as number) > most) most = logits[each] as number
  let sum = 0
  for (let each = 0; each < length; each++) sum += logits[each] = Math.exp((logits[each] as number) - most)
  for (let each = 0; each < length; each++) logits[each] = (logits[each] as number) / sum
  const share = logits[label] as number
  logits[label] = share - 1
  return -Math.log(Math.max(share, 1e-300))
}

function addRow(sums: Float64Array, from: number, factor: number, row: Float64Array): void {
  const { length } = row
  for (let i = 0; i < length; i++) sums[from + i] = (sums[from + i] as number) + factor * (row[i] as number)
}

/** The two loops of L-BFGS: minus the gradient, bent by what the last steps have shown of the curvature. */
function descent(gradient: Float64Array, steps: readonly Float64Array[], turns: readonly Float64Array[]): Float64Array {
  const direction = gradient.map((value) => -value)
  const shares: number[] = []
  for (let i = steps.length - 1; i >= 0; i--) {
    const [step, turn] = [steps[i] as Float64Array, turns[i] as Float64Array]
    const share = dot(step, direction) / dot(step, turn)
    shares[i] = share
    addScaled(direction, -share, turn)
  }
  const [last, lastTurn] = [steps.at(-1), turns.at(-1)]
  if (last !== undefined && lastTurn !== undefined) {
    const scale = dot(last, lastTurn) / dot(lastTurn, lastTurn)
    for (let i = 0; i < direction.length; i++) direction[i] = (direction[i] as number) * scale
  }
  for (const [i, step] of steps.entries()) {
    const turn = turns[i] as Float64Array
    addScaled(direction, (shares[i] as number) - dot(turn, direction) / dot(step, turn), step)
  }
  return direction
}

function addScaled(to: Float64Array, factor: number, from: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] as number) + factor * (from[i] as number)
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}

function lengthOf(values: Float64Array): number {
  return Math.sqrt(dot(values, values))
}
