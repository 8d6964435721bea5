import { chunk, DONE, event, ROLE, saying, stream, USAGE } from '../scripts.ts'
import { holds, same, type Row } from '../row.ts'
import { CHAT_STREAM, CLIENT_STREAM, thread } from '../sources.ts'
import { succeeds } from '../verdicts.ts'

type Part = Omit<Row, 'dialect'>

/** Rows that any model's answer can be held to. */
const ANY: readonly Part[] = [
  {
    id: 'shape/role-first',
    promise: 'The first delta of a choice carries the role.',
    source: thread('langwatch/langwatch#6214', 'pull'),
    check: async (probe) => {
      const reply = await probe.stream()
      same(reply.choices()[0]?.delta?.role, 'assistant', 'role of the first delta')
    },
  },
  {
    id: 'shape/role-once',
    promise: 'The role comes once: clients that add deltas up would read `assistantassistant`.',
    source: thread('BerriAI/litellm#9986', 'pull'),
    check: async (probe) => {
      const reply = await probe.stream()
      same(reply.choices().filter((choice) => choice.delta?.role).length, 1, 'deltas with a role')
    },
  },
  {
    id: 'shape/one-id',
    promise: 'All chunks of a stream have the same id, and it is not empty.',
    source: thread('microsoft/foundry-local#144'),
    check: async (probe) => {
      const ids = new Set((await probe.stream()).chunks.map((each) => each.id))
      same(ids.size, 1, 'ids')
      holds(typeof [...ids][0] === 'string' && [...ids][0] !== '', 'the id is empty')
    },
  },
  {
    id: 'shape/one-created',
    promise: 'All chunks have the same `created`, in whole seconds.',
    source: thread('raullenchai/Rapid-MLX#752', 'pull'),
    check: async (probe) => {
      const times = new Set((await probe.stream()).chunks.map((each) => each.created))
      same(times.size, 1, 'values of created')
      holds(Number.isInteger([...times][0]), 'created is not a whole number')
    },
  },
  {
    id: 'shape/one-model',
    promise: 'All chunks name the same model, and it is not empty.',
    source: thread('anomalyco/opencode#42918'),
    check: async (probe) => {
      const models = new Set((await probe.stream()).chunks.map((each) => each.model))
      same(models.size, 1, 'models')
      holds(typeof [...models][0] === 'string' && [...models][0] !== '', 'the model is empty')
    },
  },
  {
    id: 'shape/object',
    promise: 'Every chunk says `object: chat.completion.chunk`.',
    source: CHAT_STREAM,
    check: async (probe) => {
      for (const each of (await probe.stream()).chunks) same(each.object, 'chat.completion.chunk', 'object')
    },
  },
  {
    id: 'shape/choices',
    promise: 'Every chunk has `choices`, an array, and every choice its index and delta.',
    source: thread('cline/cline#8518'),
    check: async (probe) => {
      for (const each of (await probe.stream()).chunks) {
        holds(Array.isArray(each.choices), 'a chunk without choices')
        for (const choice of each.choices ?? [])
          holds(Number.isInteger(choice.index) && typeof choice.delta === 'object', 'a choice without index or delta')
      }
    },
  },
  {
    id: 'shape/finish-once',
    promise: 'A choice ends with one `finish_reason`.',
    source: thread('BerriAI/litellm#2195'),
    check: async (probe) => same((await probe.stream()).finishes().length, 1, 'finish reasons'),
  },
  {
    id: 'shape/finish-last',
    promise: 'Nothing of a choice comes after its `finish_reason`.',
    source: thread('vllm-project/vllm#36944', 'pull'),
    check: async (probe) => {
      const choices = (await probe.stream()).choices()
      holds(typeof choices.at(-1)?.finish_reason === 'string', 'the last chunk of the choice has no finish_reason')
    },
  },
  {
    id: 'shape/done',
    promise: '`[DONE]` comes once and last.',
    source: CHAT_STREAM,
    check: async (probe) => succeeds(await probe.stream()),
  },
]

const nameless = (frame: string): string => frame.replace('"chatcmpl-upstream"', '""')
let fresh = 0
const renamed = (frame: string): string => frame.replace('chatcmpl-upstream', () => `chatcmpl-${fresh++}`)

const SCRIPTED: readonly Part[] = [
  {
    id: 'shape/role-missing',
    promise: 'The role is there although the upstream sends none.',
    source: thread('agentgateway/agentgateway#3005', 'pull'),
    upstream: stream(chunk({ content: 'Hello' }), chunk({}, 'stop'), USAGE, DONE),
    check: async (probe) => {
      const reply = await probe.stream()
      succeeds(reply, 'Hello')
      same(reply.choices()[0]?.delta?.role, 'assistant', 'role of the first delta')
    },
  },
  {
    id: 'shape/role-repeated',
    promise: 'The role comes once although the upstream says it with each delta.',
    source: thread('ai-dynamo/dynamo#12639', 'pull'),
    upstream: stream(
      ...['Hel', 'lo'].map((content) => chunk({ role: 'assistant', content })),
      chunk({}, 'stop'),
      USAGE,
      DONE,
    ),
    check: async (probe) => {
      const reply = await probe.stream()
      succeeds(reply, 'Hello')
      same(reply.choices().filter((choice) => choice.delta?.role).length, 1, 'deltas with a role')
    },
  },
  {
    id: 'shape/ids-vary',
    promise: 'The id stays the same although the upstream changes it with each chunk.',
    source: thread('BerriAI/litellm#1571'),
    upstream: stream(...saying('Hel', 'lo').map(renamed)),
    check: async (probe) => {
      const reply = await probe.stream()
      succeeds(reply, 'Hello')
      same(new Set(reply.chunks.map((each) => each.id)).size, 1, 'ids')
    },
  },
  {
    id: 'shape/id-empty',
    promise: 'The id is not empty although the upstream leaves it so.',
    source: thread('huggingface/text-generation-inference#1782'),
    upstream: stream(...saying('Hello').map(nameless)),
    check: async (probe) => {
      const reply = await probe.stream()
      succeeds(reply, 'Hello')
      for (const each of reply.chunks) holds(typeof each.id === 'string' && each.id !== '', 'an empty id')
    },
  },
  {
    id: 'shape/done-missing',
    promise: 'An answer that is whole ends with `[DONE]` although the upstream forgets it.',
    source: CHAT_STREAM,
    upstream: stream(...saying('Hello').slice(0, -1)),
    check: async (probe) => succeeds(await probe.stream(), 'Hello'),
  },
  {
    id: 'shape/done-twice',
    promise: '`[DONE]` comes once although the upstream says it twice.',
    source: CHAT_STREAM,
    upstream: stream(...saying('Hello'), DONE),
    check: async (probe) => succeeds(await probe.stream(), 'Hello'),
  },
  {
    id: 'shape/after-done',
    promise: 'What an upstream sends after `[DONE]` is not part of the answer.',
    source: CLIENT_STREAM,
    upstream: stream(...saying('Hello'), chunk({ content: ' again' })),
    check: async (probe) => succeeds(await probe.stream(), 'Hello'),
  },
  {
    id: 'shape/after-finish',
    promise: 'Text after a choice has ended is not added to it.',
    source: thread('vllm-project/vllm#36944', 'pull'),
    upstream: stream(ROLE, chunk({ content: 'Hello' }), chunk({}, 'stop'), chunk({ content: ' again' }), USAGE, DONE),
    check: async (probe) => {
      const reply = await probe.stream()
      succeeds(reply, 'Hello')
      holds(typeof reply.choices().at(-1)?.finish_reason === 'string', 'a delta after the end')
    },
  },
  {
    id: 'shape/empty-choices',
    promise: 'A first chunk without choices (filter results, usage at the start) does not break the stream.',
    source: thread('cline/cline#8518'),
    upstream: stream(event({ id: '', object: '', created: 0, model: '', choices: [] }), ...saying('Hello')),
    check: async (probe) => {
      const reply = await probe.stream()
      succeeds(reply, 'Hello')
      for (const each of reply.chunks) holds(each.id !== '', 'a chunk with an empty id')
    },
  },
  {
    id: 'shape/unknown-fields',
    promise: 'Fields and chunk kinds that nobody knows yet do not break the stream.',
    source: CHAT_STREAM,
    upstream: stream(
      ROLE,
      chunk({ content: 'Hel', x_new: [1] }, null, { x_new: { deep: [null] } }),
      event({ type: 'x.new', sequence_number: 1 }),
      chunk({ content: 'lo' }),
      chunk({}, 'stop'),
      USAGE,
      DONE,
    ),
    check: async (probe) => succeeds(await probe.stream(), 'Hello'),
  },
  {
    id: 'shape/whole-message',
    promise: 'An upstream that only pretends to stream (the whole message in one chunk) is still an answer.',
    source: thread('cline/cline#8518'),
    upstream: stream(chunk({ role: 'assistant', content: 'Hello' }, 'stop', {}), USAGE, DONE),
    check: async (probe) => {
      const reply = await probe.stream()
      succeeds(reply, 'Hello')
      same(reply.finishes(), ['stop'], 'finish reasons')
    },
  },
]

export const SHAPE_ROWS: readonly Row[] = [...ANY, ...SCRIPTED].map((part) => ({ dialect: 'chat', ...part }))
