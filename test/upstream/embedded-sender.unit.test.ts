import { expect, test } from 'vitest'
import { EncoderBusy } from '../../src/encoder/encoder.ts'
import { NoEncoder } from '../../src/encoder/no-encoder.ts'
import type { Call, ChunkConsumer, Hold, SendOutcome, Sender } from '../../src/gateway/steps.ts'
import { EmbeddedSender, type VectorMaker } from '../../src/upstream/embedded/embedded-sender.ts'

const OTHERS: Sender = { send: () => Promise.reject(new Error('not meant for others')) }
const CONSUMER: ChunkConsumer = { chunk: () => true, drained: () => Promise.resolve() }
const HOLD = { attempt: { target: { kind: 'embedded', model: 'switchyard-embed' } } } as Hold

async function outcomeOf(maker: VectorMaker, signal: AbortSignal = AbortSignal.any([])): Promise<SendOutcome> {
  const call = { request: { embed: { inputs: ['a'], encoding: 'float' } }, signal } as unknown as Call
  return (await new EmbeddedSender(maker, OTHERS).send(call, HOLD, CONSUMER)).outcome
}

test('an encoder without room is a 503 with its time, and another model may answer', async () => {
  const busy = { embedAll: () => Promise.reject(new EncoderBusy(1500)) }
  expect(await outcomeOf(busy)).toMatchObject({
    kind: 'failed',
    billing: 'none',
    fallback: true,
    error: { code: 'overloaded', status: 503, retryAfterMs: 1500 },
  })
  expect(await outcomeOf(new NoEncoder())).toMatchObject({ error: { code: 'overloaded' } })
})

test('a caller that left is no failure', async () => {
  const signal = AbortSignal.abort()
  expect(await outcomeOf({ embedAll: () => Promise.reject(signal.reason as Error) }, signal)).toMatchObject({
    kind: 'aborted',
    billing: 'none',
  })
})

test('a defect is not taken for a busy encoder', async () => {
  await expect(outcomeOf({ embedAll: () => Promise.reject(new TypeError('defect')) })).rejects.toThrow('defect')
})
