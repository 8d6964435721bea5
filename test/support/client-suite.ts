/**
 * What every agent framework must be able to do through the service, whichever wire is behind it. A driver says how one framework does
 * it; the rows are the same for all, and the provider's own meter judges tokens and dollars.
 */
import { expect, test, vi } from 'vitest'
import { THINKER, WIRES_BEHIND, type ClientWorld, type Target, type WireBehind } from './client-world.ts'

/** What a framework says about one answer. Tokens are undefined where it tells none. */
export interface Said {
  readonly text: string
  readonly inputTokens: number | undefined
  readonly outputTokens: number | undefined
}

export interface ToolRun {
  readonly text: string
  /** Names of the tools that were run, in order. */
  readonly ran: readonly string[]
}

export interface ClientDriver {
  /** Put before each row's name, where a client has more than one mode. */
  readonly mode?: string
  text(at: Target, prompt: string): Promise<Said>
  /** The same from a stream, and in how many pieces the text came. */
  stream(at: Target, prompt: string): Promise<Said & { readonly pieces: number }>
  /** An agent with the tools `weather` and `clock` (TOOLS) until it answers with text; from streams where the framework can. */
  tools(at: Target, prompt: string, onTool?: () => void): Promise<ToolRun>
  /** An object of the form `{ city: string, celsius: number }`. */
  object(at: Target, prompt: string): Promise<unknown>
  /** A stream that is left as soon as `leave` fires; calls `begun` at the first piece. May throw. */
  abort(at: Target, prompt: string, leave: AbortController, begun: () => void): Promise<void>
  /** Whether this is the framework's own error for a refused key. */
  isKeyError(error: unknown): boolean
}

/** What the tools of a run take and give. Their names are words of the prompts, by which the simulated model picks them. */
export const TOOLS = { weather: 'Rain, 12 degrees.', clock: 'Ten past four.' } as const
const ASK = 'Describe lighthouses along northern coasts.'
const ASK_ONE = 'Look up the weather along northern coasts.'
const ASK_BOTH = 'Look up the weather and the clock along northern coasts.'

export function clientSuite(world: ClientWorld, driver: ClientDriver): void {
  for (const wire of WIRES_BEHIND) {
    const row = (name: string, run: () => Promise<void>): void =>
      test(`${driver.mode === undefined ? '' : `${driver.mode}, `}${name} (${wire} behind)`, run)

    row('text: the answer, its tokens, and its cost as the provider bills it', async () => {
      const at = world.target(wire)
      expectSaid(await driver.text(at, ASK), world, wire)
      await expectCost(world, wire, at, 1)
    })

    row('stream: the answer in pieces, its tokens and its cost', async () => {
      const at = world.target(wire)
      const said = await driver.stream(at, ASK)
      expectSaid(said, world, wire)
      expect(said.pieces).toBeGreaterThan(2)
      await expectCost(world, wire, at, 1)
    })

    row('tools: a call runs, its result goes back, and the run is one task', async () => {
      const at = world.target(wire)
      const { text, ran } = await driver.tools(at, ASK_ONE)
      expect(ran).toEqual(['weather'])
      expect(text.length).toBeGreaterThan(10)
      await expectCost(world, wire, at, 2)
    })

    row('parallel tools: two calls of one answer', async () => {
      const at = world.target(wire)
      const { text, ran } = await driver.tools(at, ASK_BOTH)
      expect([...ran].toSorted()).toEqual(['clock', 'weather'])
      expect(text.length).toBeGreaterThan(10)
      await expectCost(world, wire, at, 2)
    })

    row('structured output: an object of the form that was asked for', async () => {
      const at = world.target(wire)
      expect(await driver.object(at, ASK)).toEqual({
        city: expect.any(String) as string,
        celsius: expect.any(Number) as number,
      })
      await expectCost(world, wire, at, 1)
    })

    row('abort: the provider stops, and what it had made is paid', async () => {
      const at = world.target(wire, { model: `${wire}-slow` })
      const leave = new AbortController()
      await driver.abort(at, ASK, leave, () => leave.abort()).catch(() => {})
      expect(leave.signal.aborted).toBe(true)
      await vi.waitFor(() => expect(world.simulators[wire].running).toBe(0), { timeout: 5000, interval: 5 })
      const { output, nanoUsd } = world.billed(wire)
      expect(output).toBeLessThan(WHOLE_ANSWER_TOKENS)
      await vi.waitFor(async () => {
        const task = await world.task(at.taskId)
        expect(task.held_nano_usd).toBe(0)
        expect(task.spent.nano_usd + task.unresolved_nano_usd).toBeGreaterThanOrEqual(Number(nanoUsd))
      })
    })

    row('error: a refused key is the own error of the client, and nothing is sent', async () => {
      const error: unknown = await driver.text(world.target(wire, { apiKey: 'sk-wrong-test' }), ASK).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      expect(driver.isKeyError(error), String(error)).toBe(true)
      expect(world.billed(wire).requests).toBe(0)
    })
  }
}

/** @param driver Asks for thinking with each of its calls. */
export function thinkingRow(world: ClientWorld, driver: Pick<ClientDriver, 'tools' | 'mode'>): void {
  const mode = driver.mode === undefined ? '' : `${driver.mode}, `
  test(`${mode}thinking: goes back with its signature, and the model thinks on after a tool's result`, async () => {
    const at = world.target('anthropic', { model: THINKER })
    let thought = 0
    const { ran } = await driver.tools(at, ASK_ONE, () => (thought = world.billed('anthropic').thinking))
    expect(ran).toEqual(['weather'])
    expect(thought).toBeGreaterThan(10)
    // The simulator refuses thinking that is missing or changed, and its thoughts about one prompt are always the same.
    expect(world.billed('anthropic').thinking).toBe(2 * thought)
    await expectCost(world, 'anthropic', at, 2)
  })
}

/** Answers to ASK of the simulated models are at least this long, so that less than it was cut off. */
const WHOLE_ANSWER_TOKENS = 20

function expectSaid({ text, inputTokens, outputTokens }: Said, world: ClientWorld, wire: WireBehind): void {
  const { input, output } = world.billed(wire)
  expect(text.length).toBeGreaterThan(10)
  expect([inputTokens ?? input, outputTokens ?? output]).toEqual([input, output])
}

/** The task has cost what the provider bills, to the nano-dollar, in exactly so many calls. */
export async function expectCost(world: ClientWorld, wire: WireBehind, at: Target, calls: number): Promise<void> {
  const { requests, nanoUsd } = world.billed(wire)
  expect(requests).toBe(calls)
  expect(nanoUsd).toBeGreaterThan(0n)
  await vi.waitFor(async () => {
    const task = await world.task(at.taskId)
    expect(task.spent).toMatchObject({ nano_usd: Number(nanoUsd), model_calls: calls })
    expect([task.held_nano_usd, task.unresolved_nano_usd]).toEqual([0, 0])
  })
}
