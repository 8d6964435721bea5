/**
 * Every cell of the matrix in docs/compatibility.md over HTTP: each API in front of each provider, whole and streamed. What the page
 * calls refused is refused and never sent; what it calls translated or working is asked of the provider on its wire and comes back in
 * the caller's words, with its cost; what is left out is named, and nothing else is.
 */
import { describe, expect, test } from 'vitest'
import { CALLERS, type Caller } from '../../scripts/compatibility/matrix/callers.ts'
import { ANSWER, CAPABILITIES, type Capability, type Ingress } from '../../scripts/compatibility/matrix/capabilities.ts'
import { decide, type Decision } from '../../scripts/compatibility/matrix/decide.ts'
import { EGRESSES, toldBy, type Egress } from '../../scripts/compatibility/matrix/egresses.ts'
import { halves } from '../../scripts/compatibility/matrix/fields.ts'
import type { Answer } from '../support/fake-upstream.ts'
import { fields, type Fields } from './matrix/at.ts'
import { expectGot } from './matrix/expect-got.ts'
import { expectHeard } from './matrix/expect-heard.ts'
import { gotByChat, gotByMessages, gotByResponses, type Got } from './matrix/got.ts'
import { footnote, rowsStated, statedIn } from './matrix/stated.ts'
import { chatOf, messageOf, responseOf, type Streamed } from './matrix/streamed.ts'
import { matrixWorld, type Reply } from './matrix/world.ts'

const world = matrixWorld()
const REASONING: Capability = 'reasoning kept across turns with its signature'

interface Speech {
  readonly got: (body: Fields) => Got
  readonly streamed: (text: string) => Streamed
  readonly streamFields: Fields
}
const SPEECH: Readonly<Record<Ingress, Speech>> = {
  'openai-chat': {
    got: gotByChat,
    streamed: chatOf,
    streamFields: { stream: true, stream_options: { include_usage: true } },
  },
  'openai-responses': { got: gotByResponses, streamed: responseOf, streamFields: { stream: true } },
  'anthropic-messages': { got: gotByMessages, streamed: messageOf, streamFields: { stream: true } },
}

interface Cell {
  readonly caller: Caller
  readonly egress: Egress
  readonly capability: Capability
}
type Passed = Exclude<Decision, { kind: 'refused' }>

const CELLS: readonly Cell[] = CALLERS.flatMap((caller) =>
  EGRESSES.flatMap((egress) => CAPABILITIES.map((capability) => ({ caller, egress, capability }))),
)

test('there are 3 x 6 x 17 cells, and the page has no row that is not run', () => {
  expect(CELLS).toHaveLength(306)
  for (const caller of CALLERS) expect(rowsStated(caller)).toEqual(CAPABILITIES)
})

describe.each(CALLERS.map((caller) => ({ caller, name: caller.name })))('$name', ({ caller }) => {
  const cells = CELLS.filter((cell) => cell.caller === caller)
  test.each(cells.map((cell) => [`${caller.name} > ${cell.egress.name}: ${cell.capability}`, cell] as const))(
    '%s',
    async (_name, cell) => {
      const decision = decide(cell.caller, cell.egress, cell.capability)
      if (decision.kind === 'refused') await runRefused(cell, decision)
      else if (cell.capability === 'error before stream') await runErrorBefore(cell, decision)
      else if (cell.capability === 'error in stream') await runErrorWithin(cell, decision)
      else
        for (const isStream of cell.capability === 'stream' ? [true] : [false, true])
          await runPassed(cell, decision, isStream)
    },
  )
})

async function runRefused(cell: Cell, { param, sentence }: Extract<Decision, { kind: 'refused' }>): Promise<void> {
  const { caller, egress, capability } = cell
  const [word, mark] = (statedIn(caller, egress, capability) ?? '').split(' ')
  expect(word).toBe('refused')
  for (const isStream of [false, true]) {
    const reply = await ask(cell, bodyOf(cell, isStream))
    const { error } = JSON.parse(reply.text) as { error: Fields }
    expect(reply.status).toBe(400)
    const named = caller.name === 'anthropic-messages' ? fields(error['details'])['param'] : error['param']
    expect({ param: named, sentence: error['message'] }).toEqual({ param, sentence })
    // What the caller is told is what the page says.
    expect(footnote((mark ?? '').slice(1, -1))).toContain(`\`param\` \`${String(named)}\`: ${String(error['message'])}`)
    expect(world.asked(egress)).toEqual([])
  }
}

async function runPassed(cell: Cell, decision: Passed, isStream: boolean): Promise<void> {
  const { caller, egress, capability } = cell
  const { got, streamed } = SPEECH[caller.name]
  const asked = bodyOf(cell, isStream)
  let reply = await ask(cell, asked)
  expect(reply).toMatchObject({ status: 200 })
  const told = isStream ? streamed(reply.text) : undefined
  const body = told?.body ?? (JSON.parse(reply.text) as Fields)
  if (told !== undefined) {
    expect(told).toMatchObject({ isWhole: true, error: undefined })
    // A text that came in pieces goes on in pieces.
    if (capability === 'stream') expect(told.pieces).toBe(2)
  }
  expectGot(capability, caller.name, egress, got(body))
  if (capability === REASONING) reply = await ask(cell, caller.askAgain(asked, body))
  const [heard] = world.asked(egress)
  if (heard === undefined) throw new Error('The provider was not asked.')
  expect(world.asked(egress)).toHaveLength(1)
  expect(heard.isStream).toBe(isStream)
  expectHeard(capability, egress, heard, decision.kind === 'dropped')
  expectStated(cell, decision, reply)
}

async function runErrorBefore(cell: Cell, decision: Passed): Promise<void> {
  const { caller, egress, capability } = cell
  if (decision.kind === 'dropped' || decision.error?.status === undefined) throw new Error('No error was decided.')
  const { status, body } = egress.speaker.overloaded
  const reply = await ask(cell, caller.ask(capability), (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  })
  expect(reply.status).toBe(decision.error.status.caller)
  const envelope = JSON.parse(reply.text) as { type?: unknown; error: Fields }
  const { error } = envelope
  if (caller.name === 'anthropic-messages') {
    expect(envelope.type).toBe('error')
    expect(error['type']).toBe(reply.status === 429 ? 'rate_limit_error' : 'overloaded_error')
    expect(fields(error['details'])['error_code']).toBe(decision.error.code)
  } else expect(error['code']).toBe(decision.error.code)
  expect(world.asked(egress)).toHaveLength(1)
  expectStated(cell, decision, reply)
}

async function runErrorWithin(cell: Cell, decision: Passed): Promise<void> {
  const { caller, egress, capability } = cell
  if (decision.kind === 'dropped' || decision.error === undefined) throw new Error('No error was decided.')
  const { got, streamed } = SPEECH[caller.name]
  const reply = await ask(cell, caller.ask(capability), (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(egress.speaker.broken)
  })
  expect(reply.status).toBe(200)
  const { body, isWhole, error } = streamed(reply.text)
  // What came before is shown, the error is said, and nothing that clients take for the end of an answer comes after it.
  expect(got(body).texts).toEqual([halves(ANSWER)[0]])
  expect(isWhole).toBe(false)
  const code = caller.name === 'anthropic-messages' ? fields(error?.['details'])['error_code'] : error?.['code']
  expect(code).toBe(decision.error.code)
  expect(reply.text).not.toMatch(/\[DONE\]|message_stop|response\.completed/)
  expectStated(cell, decision, reply)
}

/** The page says the same, and what is named as left out is all that was. */
function expectStated({ caller, egress, capability }: Cell, decision: Passed, { dropped }: Reply): void {
  const stated = statedIn(caller, egress, capability)
  expect(stated).toMatch(decision.kind === 'dropped' ? /^left out, named: / : new RegExp(`^${decision.kind}\\b`))
  const named = [...(stated?.split('named: ')[1]?.split(';')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name)
  expect(new Set(dropped)).toEqual(new Set(named))
  expect(dropped).toHaveLength(named.length)
}

function bodyOf({ caller, capability }: Cell, isStream: boolean): Fields {
  return { ...caller.ask(capability), ...(isStream ? SPEECH[caller.name].streamFields : {}) }
}

/** The provider answers as the capability wants it, unless it is told another thing. */
function ask({ caller, egress, capability }: Cell, body: Fields, answer?: Answer): Promise<Reply> {
  world.tell(egress, answer ?? speak(egress, capability))
  return world.post(caller, egress, body)
}

function speak(egress: Egress, capability: Capability): Answer {
  const told = toldBy(egress, capability)
  return ({ body, path }, response) => {
    const isStream = path.includes(':streamGenerateContent') || (JSON.parse(body) as Fields)['stream'] === true
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
    response.end(isStream ? egress.speaker.stream(told) : JSON.stringify(egress.speaker.whole(told)))
  }
}
