/** What "switchyard router explain" prints for whom, and how it refuses. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { main } from '../../src/main.ts'

const FILE = `upstreams:
  o: { kind: openai, apiKey: env:O_KEY }
  gpu: { kind: vllm, replicas: ["http://127.0.0.1:8000"] }
models:
  big: { upstream: o, model: gpt-4-1106-preview, price: { inputPerM: 10, outputPerM: 30 } }
  own: { upstream: gpu, model: mistralai/Mixtral-8x7B-Instruct-v0.1, contextTokens: 32768, price: { inputPerM: 0.1, outputPerM: 0.4 } }
routes: { auto: { small: [own], big: [big], costQuality: 0.5 } }
sensitivity: { personalData: pin-local }
keys: [{ name: ci, key: sk-fake-key, tenant: acme, models: [own] }]
`

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function explain(
  args: readonly string[],
  {
    isTty = false,
    file = FILE,
    stdin = '',
    files = {},
  }: { isTty?: boolean; file?: string; stdin?: string; files?: Record<string, string> } = {},
): Promise<Ran> {
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-explain-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  for (const [name, text] of Object.entries({ 'switchyard.yaml': file, ...files })) writeFileSync(join(cwd, name), text)
  let out = ''
  let err = ''
  const code = await main(['router', 'explain', ...args], {
    env: { O_KEY: 'sk-fake-upstream' },
    cwd,
    stdout: { write: (text) => void (out += text), isTty },
    stderr: { write: (text) => void (err += text), isTty },
    stdin: async () => stdin,
    onSignal: () => () => {},
  })
  return { code, out, err }
}

const ASK = 'Tom has 12 apples and gives 5 of them to each of his 2 sisters. How many are left?'

interface Json {
  readonly decision: { readonly target: string; readonly reason: string; readonly score: number } | null
  readonly refusal: { readonly code: string } | null
  readonly rules: readonly { readonly rule: string; readonly did: string }[]
  readonly gain: {
    readonly gain: number
    readonly head: string
    readonly contributions: readonly { readonly of: string; readonly name: string; readonly gain: number }[]
  }
  readonly goal: Readonly<Record<string, unknown>>
  readonly alternatives: readonly { readonly target: string; readonly expected_cost_nano_usd: number }[]
}

async function json(args: readonly string[], setup: Parameters<typeof explain>[1] = {}): Promise<Json> {
  const { code, out, err } = await explain([...args, '--json'], setup)
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out) as Json
}

describe('for people', () => {
  test('it fits 100 columns, names the decision, the head, words, prices and changes, without colours in a pipe', async () => {
    const { code, out } = await explain([ASK, '--top', '50'])
    expect(code).toBe(0)
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
    expect(out).not.toContain('\u001b')
    expect(out).toMatch(/^auto -> (own|big) \((local, small|frontier, big) side\), reason gain$/m)
    expect(out).toContain('the head of this pair')
    expect(out).toMatch(/"how many" +1 x$/m)
    expect(out).toContain('utility of big')
    expect(out).toMatch(/^ +> +(own|big) .*\$0\.\d{6}$/m)
    expect(out).toContain('routes.auto.costQuality')
  })

  test('a terminal gets colours', async () => {
    const { out } = await explain([ASK], { isTty: true })
    expect(out).toContain('\u001b[1m')
  })

  test('without any configuration it explains the simulated models', async () => {
    const { code, out } = await explain([ASK, '--simulate'], { file: '' })
    expect(code).toBe(0)
    expect(out).toContain('auto -> sim-')
  })
})

describe('as JSON', () => {
  test('contributions add up to the gain, prices stand at every model', async () => {
    const { gain, alternatives, goal, decision } = await json([ASK])
    expect(gain.contributions.reduce((sum, each) => sum + each.gain, 0)).toBeCloseTo(gain.gain, 6)
    expect(gain.head).toBe('own')
    expect(alternatives.map(({ target }) => target)).toEqual(['own', 'big'])
    expect(alternatives.every((each) => each.expected_cost_nano_usd > 0)).toBe(true)
    expect(goal).toMatchObject({ kind: 'gain', cost_quality: 0.5 })
    expect(decision?.reason).toBe('gain')
  })

  test('personal data keeps it at home, by the guard', async () => {
    const { decision, rules } = await json(['Write to jane.roe@example.com that the order of Friday is late.'])
    expect(decision).toMatchObject({ target: 'own', reason: 'residency' })
    expect(rules.find(({ rule }) => rule === 'guard')?.did).toBe('decides')
  })
})

describe('a whole request', () => {
  const tools = [{ type: 'function', function: { name: 'look_up', parameters: { type: 'object' } } }]
  const chat = { model: 'auto:best', messages: [{ role: 'user', content: ASK }], tools }
  const messages = {
    max_tokens: 100,
    system: 'Be brief.',
    messages: [{ role: 'user', content: [{ type: 'text', text: ASK }] }],
  }
  const responses = { input: ASK }

  test('is read from a file and from the standard input, in any of the three dialects', async () => {
    expect((await json(['--file', 'r.json'], { files: { 'r.json': JSON.stringify(chat) } })).decision).toMatchObject({
      target: 'big',
      reason: 'pinned',
    })
    const plain = await json([ASK])
    for (const body of [messages, responses]) {
      const { gain } = await json(['-'], { stdin: JSON.stringify(body) })
      const words = ({ contributions }: Json['gain']): unknown => contributions.filter(({ of }) => of === 'words')
      expect(words(gain)).toEqual(words(plain.gain))
    }
  })

  test('--model goes before its own', async () => {
    const { decision } = await json(['--file', 'r.json', '--model', 'own'], {
      files: { 'r.json': JSON.stringify(chat) },
    })
    expect(decision).toMatchObject({ target: 'own', reason: 'pinned' })
  })
})

describe('what cannot be explained is a sentence', () => {
  test.each([
    [[], 'Give a text, --file REQUEST.json, or - for the standard input.'],
    [['--file', 'none.json'], '--file none.json cannot be read'],
    [['--file', 'switchyard.yaml'], 'not valid JSON'],
    [[ASK, '--file', 'switchyard.yaml'], 'Give a text or --file, not both.'],
    [[ASK, '--model', 'autoo'], 'There is no model `autoo`'],
    [[ASK, '--key', 'ci'], 'This key may not use the model `auto`'],
    [[ASK, '--key', 'cd'], 'There is no key cd in the configuration. It has ci.'],
    [[ASK, '--api', 'soap'], '--api soap is none of chat, messages, responses.'],
    [[ASK, '--top', 'all'], '--top all is no number'],
    [['-'], 'The service would refuse this request (openai-chat)'],
  ])('%j', async (args, sentence) => {
    const { code, out, err } = await explain(args, { stdin: '{"messages": 5}' })
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(sentence)
  })

  test('router alone says what there is', async () => {
    let err = ''
    const io = {
      env: {},
      cwd: tmpdir(),
      stdout: { write: (): void => {}, isTty: false },
      stderr: { write: (text: string) => void (err += text), isTty: false },
      onSignal: () => () => {},
    }
    expect(await main(['router', 'explian'], io)).toBe(2)
    expect(err).toContain('There is no "router explian". Did you mean "explain"?')
  })
})

describe('weights', () => {
  test('are those of the configuration: without usable ones a service decides by chance, or does not start', async () => {
    const own = (weights: string): string => `${FILE}router: { weights: ${weights}, folder: ./no-such-folder }\n`
    const { decision, gain } = await json([ASK], { file: own('optional') })
    expect(decision).toMatchObject({ reason: 'degraded' })
    expect(gain).toBeNull()

    const { code, err } = await explain([ASK], { file: own('required') })
    expect(code).toBe(2)
    expect(err).toContain('router.folder')
  })
})
