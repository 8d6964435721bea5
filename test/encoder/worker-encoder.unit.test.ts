import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { EncoderBusy } from '../../src/encoder/encoder.ts'
import { WorkerEncoder } from '../../src/encoder/worker-encoder.ts'
import { FakeWorkers } from './fake-worker.ts'

const NEVER = new AbortController().signal

interface World {
  readonly workers: FakeWorkers
  readonly encoder: WorkerEncoder
  readonly asked: string[]
  readonly sizes: number[]
  readonly events: string[]
  restarts: number
}

function world(isLoaded = true): World {
  const workers = new FakeWorkers()
  const made: World = { workers, asked: [], sizes: [], events: [], restarts: 0, encoder: undefined as never }
  const encoder = new WorkerEncoder({
    start: workers.start,
    now: () => performance.now(),
    deadlineMs: 40,
    storeBytes: 1_000_000,
    reporter: {
      asked: (result) => void made.asked.push(result),
      batch: (texts) => void made.sizes.push(texts),
      computed: () => {},
      restarted: () => void (made.restarts += 1),
    },
    onEvent: ({ detail }) => void made.events.push(detail),
  })
  if (isLoaded) {
    void encoder.load()
    workers.loaded()
  }
  return Object.assign(made, { encoder })
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('loading', () => {
  test('nothing runs before the first need, and what was asked meanwhile is answered after it', async () => {
    const { encoder, workers } = world(false)
    expect(encoder.state).toBe('idle')
    expect(workers.started).toBe(0)
    const vector = encoder.embed('abc')
    expect(encoder.state).toBe('loading')
    expect(workers.batches).toHaveLength(0)
    workers.loaded()
    workers.finish()
    expect((await vector)?.[0]).toBe(3)
    expect(encoder.modelSha256).toBe('abc')
  })

  test('a model that cannot be loaded is said once, is not tried again, and costs nobody any time', async () => {
    const { encoder, workers, asked, events } = world(false)
    const loading = encoder.load()
    const before = encoder.embed('abc')
    workers.say({ kind: 'unloadable', sentence: 'the file is cut' })
    await expect(loading).rejects.toThrow('the file is cut')
    expect(await before).toBeUndefined()
    expect(await encoder.embed('abc')).toBeUndefined()
    await vi.advanceTimersByTimeAsync(120_000)
    expect([encoder.state, workers.started, workers.killed]).toEqual(['failed', 1, 1])
    expect(events).toEqual(['cannot be loaded: the file is cut'])
    expect(asked).toEqual(['unavailable', 'unavailable'])
    await expect(encoder.embedAll(['a'], NEVER)).rejects.toThrow(EncoderBusy)
  })
})

describe('batches', () => {
  test('what comes in while the worker is at work goes there together, sixteen texts at most', async () => {
    const { encoder, workers, sizes } = world()
    const all = Promise.all(Array.from({ length: 20 }, (_, at) => encoder.embed('x'.repeat(at + 1))))
    expect(sizes).toEqual([1])
    workers.finish()
    workers.finish()
    workers.finish()
    expect(sizes).toEqual([1, 16, 3])
    expect((await all).map((vector) => vector?.[0])).toEqual(Array.from({ length: 20 }, (_, at) => at + 1))
  })

  test('long texts go in smaller batches', () => {
    const { encoder, workers, sizes } = world()
    for (let at = 0; at < 6; at++) void encoder.embed(`${at}${'long '.repeat(100)}`)
    workers.finish()
    workers.finish()
    // 256 tokens at most each, 512 together.
    expect(sizes).toEqual([1, 2, 2])
  })

  test('texts in bulk go one by one, behind whatever has a deadline', async () => {
    const { encoder, workers } = world()
    const bulk = encoder.embedAll(['b1', 'b22'], NEVER)
    const vector = encoder.embed('prompt')
    const order = (): string[] => workers.batches.map((jobs) => jobs.map(({ text }) => text).join())
    workers.finish()
    workers.finish()
    workers.finish()
    expect(order()).toEqual(['b1', 'prompt', 'b22'])
    expect((await bulk).map(({ tokens }) => tokens)).toEqual([4, 5])
    expect(await vector).toBeDefined()
  })

  test('a caller that has left takes its texts out of the queue', async () => {
    const { encoder, workers } = world()
    const caller = new AbortController()
    const bulk = encoder.embedAll(['b1', 'b2', 'b3'], caller.signal)
    caller.abort()
    await expect(bulk).rejects.toThrow(/abort/)
    workers.finish()
    expect(workers.batches).toHaveLength(1)
  })
})

describe('what is known', () => {
  test('a text is computed once, whoever asks, at the same time or later', async () => {
    const { encoder, workers, asked } = world()
    const both = [encoder.embed('abc'), encoder.embed('abc')]
    workers.finish()
    const [first, second] = await Promise.all(both)
    expect(second).toBe(first)
    expect(await encoder.embed('abc')).toBe(first)
    expect(encoder.peek('abc')).toBe(first)
    expect(encoder.peek('abd')).toBeUndefined()
    expect((await encoder.embedAll(['abc'], NEVER))[0]?.vector).toBe(first)
    expect(workers.batches).toHaveLength(1)
    expect(asked).toEqual(['made', 'joined', 'known', 'known'])
  })

  test('a text that was read whole has one vector for all lengths, one that was cut has one for each', async () => {
    const { encoder, workers } = world()
    const whole = encoder.embed('abc', { maxTokens: 48 })
    workers.finish()
    const vector = await whole
    expect(encoder.peek('abc')).toBe(vector)
    expect(encoder.peek('abc', 4)).toBeUndefined()
    const long = 'word '.repeat(2000)
    const short = encoder.embed(long, { maxTokens: 48 })
    workers.finish()
    const begin = await short
    expect(encoder.peek(long, 48)).toBe(begin)
    expect(encoder.peek(long)).toBeUndefined()
    // The beginning that was read is a text of its own, and has another vector.
    expect(encoder.peek(long.slice(0, 48 * 24), 48)).toBeUndefined()
  })
})

describe('deadlines', () => {
  test('who waits too long decides without; the late vector is there for the next', async () => {
    const { encoder, workers, asked } = world()
    const vector = encoder.embed('abc')
    await vi.advanceTimersByTimeAsync(40)
    expect(await vector).toBeUndefined()
    workers.finish()
    await vi.advanceTimersByTimeAsync(0)
    expect(encoder.peek('abc')?.[0]).toBe(3)
    expect(asked).toEqual(['late'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('each waits as long as it said', async () => {
    const { encoder, workers } = world()
    const patient = encoder.embed('abc', { deadlineMs: Infinity })
    const hasty = encoder.embed('abc', { deadlineMs: 5 })
    await vi.advanceTimersByTimeAsync(5000)
    expect(await hasty).toBeUndefined()
    workers.finish()
    expect((await patient)?.[0]).toBe(3)
  })

  test('what is late already does not keep back what is not', async () => {
    const { encoder, workers } = world()
    void encoder.embed('first')
    void encoder.embed('late', { deadlineMs: 10 })
    await vi.advanceTimersByTimeAsync(20)
    void encoder.embed('timely')
    workers.finish()
    workers.finish()
    expect(workers.batches.map((jobs) => jobs.map(({ text }) => text))).toEqual([['first'], ['timely'], ['late']])
  })

  test('where too many wait, the next is told at once', async () => {
    const { encoder, asked } = world()
    for (let at = 0; at < 200; at++) void encoder.embed(`text ${at}`, { deadlineMs: Infinity })
    await vi.advanceTimersByTimeAsync(0)
    expect(asked.filter((result) => result === 'full').length).toBeGreaterThan(90)
    const many = Array.from({ length: 1025 }, (_, at) => `bulk ${at}`)
    await expect(encoder.embedAll(many, NEVER)).rejects.toMatchObject({ retryAfterMs: 1000 })
  })
})

describe('a worker that dies', () => {
  test('gives up what it was at, and another one starts: later each time, soon again once one has worked', async () => {
    const made = world()
    const { encoder, workers, events } = made
    const lost = encoder.embed('abc')
    const bulk = encoder.embedAll(['b'], NEVER)
    workers.exit('SIGSEGV')
    expect(await lost).toBeUndefined()
    await expect(bulk).rejects.toThrow(EncoderBusy)
    expect(encoder.state).toBe('waiting')
    expect(await encoder.embed('abc')).toBeUndefined()
    await vi.advanceTimersByTimeAsync(100)
    workers.exit('exit code 1')
    await vi.advanceTimersByTimeAsync(199)
    expect(workers.started).toBe(2)
    await vi.advanceTimersByTimeAsync(1)
    workers.loaded()
    const again = encoder.embed('abc')
    workers.finish()
    expect((await again)?.[0]).toBe(3)
    workers.exit('SIGKILL')
    await vi.advanceTimersByTimeAsync(100)
    expect([workers.started, made.restarts]).toEqual([4, 3])
    expect(events[0]).toBe('its worker ended (SIGSEGV); again in 100 ms')
  })

  test('one that is silent for ten seconds is stopped', async () => {
    const { encoder, workers } = world()
    const vector = encoder.embed('abc', { deadlineMs: Infinity })
    await vi.advanceTimersByTimeAsync(9999)
    expect(workers.killed).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(workers.killed).toBe(1)
    expect(await vector).toBeUndefined()
  })

  test('a text that fails fails alone', async () => {
    const { encoder, workers } = world()
    void encoder.embed('first')
    const bad = encoder.embed('bad')
    const good = encoder.embed('good')
    workers.finish()
    const [one, two] = workers.batches.at(-1) ?? []
    workers.say({ kind: 'failed', id: one?.id ?? 0, detail: 'no' })
    workers.finish(two === undefined ? [] : [two])
    expect(await bad).toBeUndefined()
    expect((await good)?.[0]).toBe(4)
    expect(encoder.state).toBe('ready')
  })
})

test('after the end nothing is started any more', async () => {
  const { encoder, workers } = world()
  const vector = encoder.embed('abc')
  encoder.close()
  expect(await vector).toBeUndefined()
  expect(await encoder.embed('abc')).toBeUndefined()
  await vi.advanceTimersByTimeAsync(60_000)
  expect([encoder.state, workers.started, workers.killed]).toEqual(['closed', 1, 1])
})

test("vectors per token come with the pieces that they are of, and the text's own vector is kept", async () => {
  const { encoder, workers } = world()
  const tokens = encoder.embedTokens('abc')
  workers.finish()
  expect((await tokens)?.pieces).toEqual(['[CLS]', '[SEP]'])
  expect((await tokens)?.vectors).toHaveLength(768)
  expect(encoder.peek('abc')?.[0]).toBe(3)
})
