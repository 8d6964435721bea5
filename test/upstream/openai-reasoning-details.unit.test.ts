import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openDetails, sealDetails } from '../../src/protocol/reasoning-details.ts'
import type { JsonObject } from '../../src/protocol/request.ts'
import { ReasoningDetails } from '../../src/upstream/openai/reasoning-details.ts'

const text = (index: number, said: string, signature: string | null = null): JsonObject => ({
  type: 'reasoning.text',
  text: said,
  signature,
  id: `r${index}`,
  format: 'anthropic-claude-v1',
  index,
})
const WHOLE: readonly JsonObject[] = [
  text(0, 'One two three.', 'c2ln'),
  { type: 'reasoning.summary', summary: 'In short.', id: 's', format: 'openai-responses-v1', index: 1 },
  { type: 'reasoning.encrypted', data: 'gAAA', id: 'e', format: 'openai-responses-v1', index: 2 },
  { type: 'reasoning.encrypted', data: 'gBBB', id: 'f', format: 'openai-responses-v1', index: 3 },
  text(4, 'Four.', 'c2lnMg=='),
]

function flushed(...chunks: readonly unknown[]): readonly JsonObject[] | undefined {
  const details = new ReasoningDetails()
  for (const chunk of chunks) details.take(chunk)
  const event = details.flush(0)
  return event?.type === 'reasoning' ? openDetails(event.signature ?? '') : undefined
}

/** An entry as streams bring it: its text piece by piece, its signature with the last of them or alone behind it. */
function fragments(entry: JsonObject, cuts: readonly number[], isSignedApart: boolean): readonly JsonObject[] {
  const field = entry['type'] === 'reasoning.text' ? 'text' : 'summary'
  const whole = entry[field]
  if (typeof whole !== 'string') return [entry]
  const at = [0, ...cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b), whole.length]
  const { signature, ...rest } = entry
  const pieces = at.slice(1).map((end, i): JsonObject => ({ ...rest, [field]: whole.slice(at[i], end) }))
  if (signature === undefined) return pieces
  const { [field]: _, ...bare } = rest
  return isSignedApart ? [...pieces, { ...bare, signature }] : [...pieces.slice(0, -1), { ...pieces.at(-1), signature }]
}

test('law: however a list comes in fragments, it is the list', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 }), { maxLength: 4 }), fc.boolean(), fc.boolean(), (cuts, apart, alone) => {
      const all = WHOLE.flatMap((entry) => fragments(entry, cuts, apart))
      expect(flushed(...(alone ? all.map((each) => [each]) : [all]))).toEqual(WHOLE)
    }),
  )
})

test('what anybody may read is not kept apart, and what is no list is nothing', () => {
  expect(flushed([text(0, 'Plain.')])).toBeUndefined()
  expect(flushed(null, 'x', [null, 1, []])).toBeUndefined()
})

test('sealed lists one after another are one list; what was changed is left out', () => {
  const [first, ...others] = WHOLE as readonly [JsonObject, ...JsonObject[]]
  expect(openDetails(sealDetails([first]) + sealDetails(others))).toEqual(WHOLE)
  expect(openDetails(`${sealDetails([first])}not-json.`)).toEqual([first])
  expect(sealDetails(WHOLE)).toMatch(/^[\w-]+\.$/)
})
