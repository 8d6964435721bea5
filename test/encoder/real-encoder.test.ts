/** The model that ships, in its real worker. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { WorkerEncoder } from '../../src/encoder/worker-encoder.ts'
import { startWorkerOf, type WorkerPort } from '../../src/encoder/worker-port.ts'

const SHIPPED = fileURLToPath(new URL('../../router-models/minilm-l6', import.meta.url))
const PATIENT = { deadlineMs: 60_000 }

interface Started {
  readonly encoder: WorkerEncoder
  readonly ports: WorkerPort[]
  readonly events: string[]
  readonly counts: { restarts: number; late: number }
}

function start(folder: string = SHIPPED): Started {
  const ports: WorkerPort[] = []
  const events: string[] = []
  const counts = { restarts: 0, late: 0 }
  const begin = startWorkerOf(folder)
  const encoder = new WorkerEncoder({
    start: (listener) => {
      const port = begin(listener)
      ports.push(port)
      return port
    },
    now: () => performance.now(),
    deadlineMs: 40,
    storeBytes: 10_000_000,
    reporter: {
      asked: (result) => void (counts.late += result === 'late' ? 1 : 0),
      batch: () => {},
      computed: () => {},
      restarted: () => void (counts.restarts += 1),
    },
    onEvent: ({ detail }) => void events.push(detail),
  })
  return { encoder, ports, events, counts }
}

const shared = start()
afterAll(() => shared.encoder.close())

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, aa, bb] = [0, 0, 0]
  for (let at = 0; at < a.length; at++) {
    const [x, y] = [a[at] as number, b[at] as number]
    dot += x * y
    aa += x * x
    bb += y * y
  }
  return dot / Math.sqrt(aa * bb)
}

test('vectors are those of a forward pass in numpy over the 32-bit weights, but for what 8 bits lose', async () => {
  const golden = JSON.parse(
    readFileSync(new URL('../fixtures/encoder/golden.json', import.meta.url), 'utf8'),
  ) as readonly { readonly text: string; readonly ids: readonly number[]; readonly vector: string }[]
  const cosines: number[] = []
  for (const { text, vector } of golden) {
    const bytes = Buffer.from(vector, 'base64')
    const wanted = Array.from({ length: 384 }, (_, at) => bytes.readInt16LE(at * 2))
    const made = await shared.encoder.embed(text, PATIENT)
    cosines.push(cosine(made ?? [], wanted))
  }
  expect(cosines).toHaveLength(100)
  expect(Math.min(...cosines)).toBeGreaterThan(0.975)
  expect(cosines.reduce((sum, each) => sum + each, 0) / 100).toBeGreaterThan(0.99)
  expect(shared.encoder.modelSha256).toMatch(/^6eade498/)
})

test('a vector does not depend on what is asked beside it, nor on who runs it', async () => {
  const texts = [
    'How do I reset my password?',
    'word '.repeat(200),
    'x',
    'Prove that there are infinitely many primes.',
  ]
  const alone: (Float32Array | undefined)[] = []
  for (const text of texts) alone.push(await shared.encoder.embed(text, PATIENT))
  const other = start()
  onTestFinished(() => other.encoder.close())
  const together = await Promise.all(texts.map((text) => other.encoder.embed(text, PATIENT)))
  expect(together).toEqual(alone)
  const [first] = await other.encoder.embedAll(['a new text beside others', 'word '.repeat(100)], AbortSignal.any([]))
  expect(await shared.encoder.embed('a new text beside others', PATIENT)).toEqual(first?.vector)
})

test('like is near like', async () => {
  const [a, b, c] = await Promise.all(
    ['How do I reset my password?', 'I forgot my password, how can I change it?', 'Best pasta in Rome'].map((text) =>
      shared.encoder.embed(text, PATIENT),
    ),
  )
  expect(cosine(a ?? [], b ?? [])).toBeGreaterThan(0.7)
  expect(cosine(a ?? [], c ?? [])).toBeLessThan(0.2)
})

test.each([
  ['nothing', ''],
  ['a null character', '\u0000'],
  ['half of a surrogate pair', 'a\ud83d'],
  ['emoji', '😀'.repeat(5000)],
  ['right to left', 'שלום '.repeat(400)],
  ['2 MB of one letter', 'a'.repeat(2_000_000)],
  ['2 MB of blanks', ' '.repeat(2_000_000)],
  ['2 MB of base64', 'QUJD+/'.repeat(340_000)],
  ['marks of the vocabulary', '[CLS][SEP][MASK][PAD]'.repeat(500)],
])('%s has a vector', async (_name, text) => {
  const vector = await shared.encoder.embed(text, PATIENT)
  expect(Math.hypot(...(vector ?? []))).toBeCloseTo(1, 4)
})

test('the mean of the vectors of its tokens is the vector of a text', async () => {
  const text = 'Tokenisation splits unhappiness'
  const { pieces = [], vectors = new Float32Array() } = (await shared.encoder.embedTokens(text, PATIENT)) ?? {}
  expect(pieces[0]).toBe('[CLS]')
  expect(pieces.at(-1)).toBe('[SEP]')
  expect(vectors).toHaveLength(pieces.length * 384)
  const mean = Array.from({ length: 384 }, (_, at) => {
    let sum = 0
    for (let row = 0; row < pieces.length; row++) sum += vectors[row * 384 + at] as number
    return sum
  })
  expect(cosine(mean, shared.encoder.peek(text) ?? [])).toBeGreaterThan(0.99999)
})

test('a worker killed in the middle of a text takes nobody with it: another one answers', async () => {
  const { encoder, ports, events, counts } = start()
  onTestFinished(() => encoder.close())
  await encoder.load()
  const lost = Promise.all(
    Array.from({ length: 8 }, (_, at) => encoder.embed(`${at} ${'words to read '.repeat(80)}`, PATIENT)),
  )
  process.kill(ports[0]?.pid ?? 0, 'SIGKILL')
  expect(await lost).toEqual(Array.from({ length: 8 }, () => undefined))
  expect(counts.restarts).toBe(1)
  expect(events[0]).toMatch(/^its worker ended \(SIGKILL\)/)
  await expect.poll(() => encoder.state).toBe('ready')
  expect(await encoder.embed('after that', PATIENT)).toHaveLength(384)
})

test("signals that stop the service are not the worker's: it ends with its owner", async () => {
  const { encoder, ports } = start()
  await encoder.load()
  const pid = ports[0]?.pid ?? 0
  process.kill(pid, 'SIGINT')
  process.kill(pid, 'SIGTERM')
  expect(await encoder.embed('still here', PATIENT)).toHaveLength(384)
  encoder.close()
  await expect.poll(() => isAlive(pid)).toBe(false)
})

test('a deadline that cannot be kept is not waited for, and the vector is there later', async () => {
  const text = 'A text of many words. '.repeat(40)
  const before = performance.now()
  expect(await shared.encoder.embed(text, { deadlineMs: 1 })).toBeUndefined()
  expect(performance.now() - before).toBeLessThan(30)
  expect(shared.counts.late).toBe(1)
  await expect.poll(() => shared.encoder.peek(text)).toHaveLength(384)
})

test('weights with another hash are never run', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-model-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  cpSync(SHIPPED, dir, { recursive: true })
  const path = join(dir, 'onnx/model_quantized.onnx')
  const bytes = readFileSync(path)
  bytes[20_000_000] = (bytes[20_000_000] ?? 0) ^ 1
  writeFileSync(path, bytes)
  const { encoder, events } = start(dir)
  await expect(encoder.load()).rejects.toThrow(/SHA-256/)
  expect(await encoder.embed('a')).toBeUndefined()
  expect(encoder.state).toBe('failed')
  expect(events).toHaveLength(1)
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A process that has ended and that nobody has waited for is none.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}
