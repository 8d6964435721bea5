/** What "switchyard prices" prints for whom, and how it refuses. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { main } from '../../src/main.ts'

const FILE = `upstreams:
  o: { kind: openai, apiKey: env:O_KEY }
  gpu: { kind: vllm, replicas: ["http://127.0.0.1:8000"] }
models:
  big: { upstream: o, model: gpt-5.6-sol }
  own:
    upstream: gpu
    model: qwen
    price: { inputPerM: 0.05, outputPerM: 0.2, tiers: [{ aboveInputTokens: 5000, inputPerM: 0.1, outputPerM: 0.4 }], serviceTiers: { flex: { inputPerM: 0.01, outputPerM: 0.02 } } }
  free: { upstream: gpu, model: nobody-knows }
routes: { auto: { small: [own], big: [big] } }
aliases: { nickname: own }
`

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function prices(args: readonly string[], isTty = false, file: string = FILE): Promise<Ran> {
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-prices-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'switchyard.yaml'), file)
  let out = ''
  let err = ''
  const code = await main(['prices', ...args], {
    env: { O_KEY: 'sk-fake-key' },
    cwd,
    stdout: { write: (text) => void (out += text), isTty },
    stderr: { write: (text) => void (err += text), isTty },
    onSignal: () => () => {},
  })
  return { code, out, err }
}

/** Cells of the line that begins with a word. */
function cells(out: string, first: string): readonly string[] {
  const line = out.split('\n').find((each) => each.startsWith(`${first}  `))
  return line?.split(/ {2,}/) ?? []
}

describe('without a model', () => {
  test('each configured model has a line with its rates and where they come from', async () => {
    const { code, out } = await prices(['--date', '2026-11-25'])
    expect(code).toBe(0)
    expect(out).toContain('dollars per million tokens on 2026-11-25')
    expect(cells(out, 'big')).toEqual([
      'big',
      '4',
      '0.4',
      '20',
      '@pydantic/genai-prices 0.1.8: openai/gpt-5.6-sol, other rates above 271,999 tokens in',
    ])
    expect(cells(out, 'own').slice(0, 4)).toEqual(['own', '0.05', '-', '0.2'])
    expect(cells(out, 'own')[4]).toContain('file, line 9')
  })

  test('a model without a price is said to have none', async () => {
    expect(cells((await prices([])).out, 'free')).toEqual([
      'free',
      '-',
      '-',
      '-',
      'unpriced: its cost is not shown, and tasks with a budget may not use it',
    ])
  })

  test('a machine without anything is told that the prices are made up', async () => {
    const { out } = await prices(['--no-detect'], false, 'server: { port: 4100 }\n')
    expect(cells(out, 'sim-big')).toEqual(['sim-big', '1.25', '-', '10', 'made up for simulated answers'])
  })

  test.each([
    [true, true],
    [false, false],
  ])('at a terminal %s: colours %s', async (isTty, isColoured) => {
    expect((await prices([], isTty)).out.includes('\u001b[')).toBe(isColoured)
  })
})

describe('with a model', () => {
  test('of the file: every rate by context and service tier', async () => {
    const { out } = await prices(['own'])
    expect(out).toContain('qwen at gpu, local')
    expect(cells(out, 'dollars per million tokens').slice(1)).toEqual(['up to 5,000 in', 'above 5,000', 'flex'])
    expect(cells(out, 'input').slice(1)).toEqual(['0.05', '0.1', '0.01'])
    expect(cells(out, 'output').slice(1)).toEqual(['0.2', '0.4', '0.02'])
    expect(out).toMatch(/file, line 9 \(revision [0-9a-f]{16}\)/)
  })

  test.each([
    [[], '10,000 tokens in and 1,000 out cost $0.06, and never more than $0.07 whatever kinds of tokens they are'],
    [['--input', '1000000', '--output', '0'], '1,000,000 tokens in and 0 out cost $8, and never more than $10'],
    [['--cached', '10000', '--output', '0'], '10,000 tokens in, 10,000 of them cached, and 0 out cost $0.004, and'],
  ])('%j: what a request costs', async (flags, sentence) => {
    expect((await prices(['big', '--date', '2026-11-25', ...flags])).out).toContain(sentence)
  })

  test.each([
    ['an alias', 'nickname', 'qwen at gpu'],
    ['a name that only the book has', 'gpt-5.1', 'in the price book, not configured here'],
    ['a provider and its model', 'anthropic/claude-sonnet-4-5', '... for an hour'],
    [
      'a model of a provider that its name does not tell',
      'accounts/fireworks/models/gpt-oss-20b',
      'fireworks/accounts/',
    ],
    ['a model with fees of another kind', 'perplexity/sonar', 'no price per token (other fees, or sold by the hour)'],
  ])('%s is understood', async (_what, name, text) => {
    const { code, out } = await prices([name])
    expect(code).toBe(0)
    expect(out).toContain(text)
  })

  test.each(['auto', 'auto:cheap'])('%s is all models of the route', async (name) => {
    const { out } = await prices([name])
    expect([cells(out, 'own').length, cells(out, 'big').length, cells(out, 'free').length]).toEqual([5, 5, 0])
  })

  test('a change to come is shown, and is in force on its day', async () => {
    expect((await prices(['gemini-3.6-flash', '--date', '2026-12-31'])).out).toContain(
      'from 2027-01-01: $1.5 in, $7.5 out',
    )
    const later = (await prices(['gemini-3.6-flash', '--date', '2027-01-01'])).out
    expect(cells(later, 'input')[1]).toBe('1.5')
    expect(later).not.toContain('from 2027')
  })
})

test('--json has the same figures as integers, and null for what is unknown', async () => {
  const { out } = await prices(['--json', '--date', '2026-11-25'])
  const { date, unit, models } = JSON.parse(out) as { date: string; unit: string; models: readonly unknown[] }
  expect([date, unit]).toEqual(['2026-11-25', 'nano-dollars per million tokens'])
  expect(models).toMatchObject([
    {
      name: 'big',
      price: { inputPerM: 4_000_000_000, tiers: [{ aboveInputTokens: 271_999, inputPerM: 8_000_000_000 }] },
      changes: [],
      example: { input: 10_000, cost_nano_usd: 60_000_000, cost_usd: '0.06', most_nano_usd: 70_000_000 },
    },
    { name: 'own', setBy: 'file, line 9' },
    { name: 'free', price: null, example: null },
  ])
})

test('an example beyond all amounts is a usage error, too', async () => {
  const dear = FILE.replace('outputPerM: 0.2,', 'outputPerM: 9000000,')
  expect((await prices(['own', '--output', '1000000'], false, dear)).code).toBe(0)
  const { code, err } = await prices(['own', '--output', '2000000'], false, dear)
  expect(code).toBe(2)
  expect(err).toBe('So many tokens cost more than nine million dollars, and amounts end there. Use fewer.\n')
})

test.each([
  [['gpt-5.l'], 'There is no model "gpt-5.l", neither here nor in the price book. Did you mean '],
  [['qqqqqqqqqqqqqqqqqqqqqq'], '"switchyard prices" lists what is configured.'],
  [['nickame'], 'Did you mean nickname'],
  [['constructor'], 'There is no model "constructor"'],
  [['a', 'b'], 'prices takes one MODEL; b is too much.'],
  [['--date', '2027-13-01'], '--date 2027-13-01 is no day. Write it as in 2027-01-01.'],
  [['--date', '2027-02-30'], '--date 2027-02-30 is no day.'],
  [['--input', '-1'], "'--input'"],
  [['--output', '1.5'], '--output 1.5 is no number of tokens. Write it as in --output 10000.'],
  [['--cached', '10001'], '--cached 10001 is more than --input 10000, which it is a part of.'],
  [['--jsno'], 'There is no flag --jsno. Did you mean --json?'],
])('%j is a usage error on stderr alone', async (args, sentence) => {
  const { code, out, err } = await prices(args)
  expect([code, out]).toEqual([2, ''])
  expect(err).toContain(sentence)
})
