/** "switchyard router report": logs in, a chart, a page and a table out, or a sentence. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { EventLog } from '../../src/telemetry/event-log.ts'
import { requestLine } from '../../src/telemetry/request-line.ts'
import { toNanoUsd } from '../../src/shared/money.ts'
import { seededRandom } from '../../src/simulator/random.ts'
import type { FinishedRequest } from '../../src/gateway/steps.ts'
import { finishedRequest } from '../support/finished-request.ts'
import { runCommand, type CommandResult } from '../support/run-command.ts'

const FILE = `upstreams:
  gpu: { kind: vllm, replicas: ["http://127.0.0.1:8000"] }
models:
  small: { upstream: gpu, model: qwen }
  large: { upstream: gpu, model: llama }
routes: { auto: { small: [small], big: [large] } }
`

/** Nano-dollars: the small side 1 and 4 a token, the big one 100 and 300. */
function cost(isBig: boolean, input: number, output: number): number {
  return isBig ? 100 * input + 300 * output : input + 4 * output
}

/** Requests whose score says whether they went up; large is local too, so only the route's sides tell. */
function traffic(count: number): readonly FinishedRequest[] {
  const random = seededRandom(3)
  return Array.from({ length: count }, () => {
    const score = random() ** 2
    const isBig = score > 0.5
    const input = Math.ceil(random() * 1000)
    const output = Math.ceil(random() * 300)
    return finishedRequest({
      score,
      target: isBig ? 'large' : 'small',
      usage: { ...(finishedRequest().usage as NonNullable<FinishedRequest['usage']>), input, output },
      cost: toNanoUsd(cost(isBig, input, output)),
    })
  })
}

function eventLines(records: readonly FinishedRequest[]): string {
  let lines = ''
  const log = new EventLog({ write: (line) => void (lines += line) })
  for (const record of records) log.finished(record)
  return lines
}

async function report(log: string | undefined, args: readonly string[] = []): Promise<CommandResult & { cwd: string }> {
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-routing-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'switchyard.yaml'), FILE)
  if (log !== undefined) writeFileSync(join(cwd, 'log.jsonl'), log)
  return { ...(await runCommand(['router', 'report', '--log', 'log.jsonl', '--out', 'out', ...args], { cwd })), cwd }
}

/** Cells of a row of the table of settings. */
function cells(out: string, name: string): readonly string[] {
  const line = out.split('\n').find((each) => each.startsWith(`${name}  `)) ?? ''
  return line.split(/ {2,}/)
}

describe('traffic of a log', () => {
  test('prices both ends as if one side had answered everything, by the rates of the bills', async () => {
    const records = traffic(600)
    const { out, code } = await report(eventLines(records))
    expect(code).toBe(0)
    const meanOf = (value: (record: FinishedRequest) => number): number =>
      records.reduce((sum, record) => sum + value(record), 0) / records.length
    const usd = (isBig: boolean): string =>
      `$${meanOf(({ usage }) => cost(isBig, usage?.input ?? 0, usage?.output ?? 0) * 1e-6).toFixed(4)}`
    expect(cells(out, 'all small').slice(1, 3)).toEqual(['0.0 %', usd(false)])
    expect(cells(out, 'all big').slice(1, 3)).toEqual(['100.0 %', usd(true)])
    expect(cells(out, 'all big')[4]).toBe((100 * meanOf(({ score }) => score ?? 0)).toFixed(2))
    // Decided by the score, so it lies on the curve: what went up is what scored above one half.
    const up = records.filter(({ target }) => target === 'large').length
    expect(cells(out, 'now')[1]).toBe(`${((100 * up) / records.length).toFixed(1)} %`)
    expect(cells(out, 'now')[4]).toBe(
      (100 * meanOf(({ score, target }) => (target === 'large' ? (score ?? 0) : 0))).toFixed(2),
    )
  })

  test('of the event log and of the request log is the same', async () => {
    const records = traffic(200)
    const time = new Date().toISOString()
    const byRequests = await report(
      records.map((record) => requestLine({ ...record, score: Number(record.score?.toFixed(3)) }, time)).join(''),
    )
    const byEvents = await report(
      eventLines(records.map((record) => ({ ...record, score: Number(record.score?.toFixed(3)) }))),
    )
    const table = ({ out }: CommandResult): string => out.slice(out.indexOf('setting'), out.indexOf('Reasons'))
    expect(table(byRequests)).toBe(table(byEvents))
  })

  test('becomes a chart and a page that need nothing from outside', async () => {
    const { cwd } = await report(eventLines(traffic(100)))
    const svg = readFileSync(join(cwd, 'out', 'routing.svg'), 'utf8')
    const page = readFileSync(join(cwd, 'out', 'routing.html'), 'utf8')
    expect(page).toContain(svg.trim())
    for (const file of [svg, page]) {
      expect(file).not.toMatch(/<script|\bsrc=|href=|url\(|@import/)
      expect(file).not.toMatch(/NaN|Infinity|undefined/)
      expect(file).toContain('prefers-color-scheme:dark')
      expect(file).toContain('as the router predicts it, not as measured')
    }
    expect(svg).toContain('all small')
    expect(svg).toMatch(/>now: [\d.]+ % big</)
  })

  test('the same log gives the same bytes', async () => {
    const log = eventLines(traffic(100))
    const chart = async (): Promise<string> => readFileSync(join((await report(log)).cwd, 'out', 'routing.svg'), 'utf8')
    expect(await chart()).toBe(await chart())
  })

  test('what a rule decided, another route, an old line and half a line are no part of the curve', async () => {
    const records = traffic(60)
    const odd = eventLines([
      finishedRequest({ reason: 'capability', score: undefined }),
      finishedRequest({ model: 'small', reason: 'pinned', score: undefined }),
      finishedRequest({ result: 'failed' }),
    ])
    const old = eventLines(traffic(5)).replaceAll(/"time":"\d{4}/g, '"time":"2001')
    const { out } = await report(`${eventLines(records)}${odd}${old}{"type":"model_call","mod`)
    expect(out).toContain('61 calls from')
    expect(out).toMatch(/^capability +1 +1\.6 %$/m)
    expect(out).not.toContain('pinned')
  })
})

describe('a log without a curve is a sentence, and no file', () => {
  test.each([
    ['', 'holds no call that a route decided'],
    [eventLines([finishedRequest({ score: undefined, reason: 'capability' })]), 'none of them by a score'],
    [eventLines(traffic(29)), 'holds 29 calls that were decided by a score. A curve needs 30'],
    [
      eventLines(traffic(300).filter(({ target }) => target === 'small')),
      'holds no answer of the big side with a price',
    ],
  ])('%#', async (log, sentence) => {
    const { code, out, cwd } = await report(log)
    expect(code).toBe(0)
    expect(out.replaceAll('\n', ' ')).toContain(sentence)
    expect(existsSync(join(cwd, 'out'))).toBe(false)
  })

  test.each([
    [['--days', '0'], '--days 0 is no number of days'],
    [['--route', 'fast'], 'There is no route fast in the configuration. It has auto.'],
    [[], 'There is no log '],
  ])('a wrong command line says so: %j', async (args, sentence) => {
    const { code, err } = await report(undefined, args)
    expect(code).toBe(2)
    expect(err).toContain(sentence)
  })
})
