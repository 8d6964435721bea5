/** One linear function of a vector per class; the softmax of their values are the classes' probabilities. */
export interface LinearClasses {
  readonly classes: number
  readonly dimensions: number
  /** `classes` rows of `dimensions`. */
  readonly weights: Float32Array
  readonly biases: Float32Array
}

/** Writes the value of each class into `into`. */
export function logitsOf(
  { classes, dimensions, weights, biases }: LinearClasses,
  vector: Float32Array,
  into: Float64Array,
): void {
  for (let each = 0; each < classes; each++)
    into[each] = (biases[each] as number) + dotAt(weights, each * dimensions, vector, 0, dimensions)
}

/** Dot product of two rows of flat tables. Four sums at once: each addition would otherwise wait for the last. */
export function dotAt(a: Float32Array, aFrom: number, b: Float32Array, bFrom: number, length: number): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  const whole = length - (length % 4)
  for (let i = 0; i < whole; i += 4) {
    s0 += (a[aFrom + i] as number) * (b[bFrom + i] as number)
    s1 += (a[aFrom + i + 1] as number) * (b[bFrom + i + 1] as number)
    s2 += (a[aFrom + i + 2] as number) * (b[bFrom + i + 2] as number)
    s3 += (a[aFrom + i + 3] as number) * (b[bFrom + i + 3] as number)
  }
  for (let i = whole; i < length; i++) s0 += (a[aFrom + i] as number) * (b[bFrom + i] as number)
  return s0 + s1 + (s2 + s3)
}

/** ln of the sum of exponentials of the first `count` values: high where some class fits well. */
export function energyOf(logits: Float64Array, count: number): number {
  const most = logits[likeliest(logits, count)] as number
  let sum = 0
  for (let i = 0; i < count; i++) sum += Math.exp((logits[i] as number) - most)
  return most + Math.log(sum)
}

/** The place of the largest of the first `count` values. */
export function likeliest(logits: Float64Array, count: number): number {
  let best = 0
  for (let i = 1; i < count; i++) if ((logits[i] as number) > (logits[best] as number)) best = i
  return best
}
