/** The money steps as the service wires them, over a ledger file of their own, with calls like those of an agent. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KeyAdmitter } from '../../src/budget/keys/key-admitter.ts'
import { UnlimitedLedger } from '../../test/support/unlimited-ledger.ts'
import { openBudgeting } from '../../src/budgeting.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Admitter, Call, Caller, Ledger, SendOutcome, Target } from '../../src/gateway/steps.ts'
import { openHoldBounds } from '../../src/hold-bounds.ts'
import { parseJsonBody } from '../../src/protocol/json.ts'
import { decodeChatRequest } from '../../src/protocol/openai-chat/decode-request.ts'
import { chatBodies } from './bodies.ts'

export interface MoneySteps {
  readonly admitter: Admitter
  readonly ledger: Ledger
  readonly target: Target
  close(): Promise<void>
}

/** A folder that goes away with the process. */
export function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-ledger-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  return dir
}

const CONFIG = `
upstreams: { gpu: { kind: vllm, replicas: ["http://127.0.0.1:9"] } }
models: { small: { upstream: gpu, model: small, tier: local, contextTokens: 131072, price: { inputPerM: 0.05, outputPerM: 0.20 } } }
routes: { auto: { small: [small] } }
`

/** The real ledger with SQLite in `dir`. Reservations wait for nobody: what a call needs fits. */
export async function moneySteps(dir: string, durability: 'process' | 'power'): Promise<MoneySteps> {
  const config = await configIn(dir, durability)
  const bounds = openHoldBounds(config.upstreams)
  const budgeting = await openBudgeting(config, {
    boundOf: bounds.boundOf,
    noteInput: bounds.noteInput,
    now: () => performance.now(),
    wallNow: Date.now,
    subjectKeys: () => {
      throw new Error('There are no keys here.')
    },
    forgetEvents: () => Promise.resolve(0),
    expireEvents: () => Promise.resolve(),
    forgetResponses: () => Promise.resolve(0),
    reporter: {
      refused: () => {},
      lowered: () => {},
      exceeded: () => {},
      taskEnded: () => {},
      taskEntered: () => {},
    },
    onEvent: (event) => console.error(JSON.stringify(event)),
  })
  return {
    admitter: budgeting.admitter,
    ledger: budgeting.ledger,
    target: targetOf(config),
    async close() {
      await budgeting.close()
      await bounds.close()
    },
  }
}

/** Steps that write nothing down and refuse nothing. */
export async function noSteps(dir: string): Promise<MoneySteps> {
  const target = targetOf(await configIn(dir, 'process'))
  return { admitter: new KeyAdmitter(), ledger: new UnlimitedLedger(), target, close: () => Promise.resolve() }
}

/** Calls of one agent: `task` gives each its task, undefined = a call of its own. */
export function callMaker(task: (serial: number) => string | undefined): () => Call {
  const body = chatBodies({ bytes: 1024, stream: false, from: 1 })
  const signal = new AbortController().signal
  let serial = 0
  return () => {
    const bytes = Buffer.from(body())
    serial += 1
    const options = { bodyBytes: bytes.length, unknownFields: 'drop' as const }
    return {
      id: `req_${serial.toString(36).padStart(16, '0')}`,
      caller: CALLER,
      task: {
        id: task(serial),
        type: undefined,
        budgetUsd: undefined,
        maxToolCalls: undefined,
        deadlineMs: undefined,
      },
      request: decodeChatRequest(parseJsonBody(bytes), options),
      signal,
      startedMs: performance.now(),
    }
  }
}

/** An answer of 231 + 100 tokens. */
export const OUTCOME: SendOutcome = {
  kind: 'complete',
  usage: {
    input: 231,
    cachedInput: 0,
    cacheWrite: 0,
    output: 100,
    reasoning: 0,
    audioInput: 0,
    audioOutput: 0,
    estimated: false,
  },
}

const CALLER: Caller = {
  tenant: 'bench',
  key: 'bench',
  user: undefined,
  models: undefined,
  unknownFields: 'drop',
  limiter: undefined,
  spendLimits: {},
  tenantSpendLimits: {},
  canTopUp: false,
}

async function configIn(dir: string, durability: 'process' | 'power'): Promise<Config> {
  const file = join(dir, 'switchyard.yaml')
  writeFileSync(file, `${CONFIG}store: { durability: ${durability} }\ndataDir: ${join(dir, 'data')}\n`)
  return loadConfig({ config: file, noDetect: true }, { env: {}, cwd: dir, now: Date.now })
}

function targetOf(config: Config): Target {
  const target = config.targets.get('small')
  if (target === undefined) throw new Error('the bench configuration has no model "small"')
  return target
}
