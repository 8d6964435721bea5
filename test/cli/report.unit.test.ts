import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { LEDGER_FILE, openLedgerFile } from '../../src/budget/ledger/ledger-file.ts'
import { SqliteJournal } from '../../src/budget/ledger/sqlite-journal.ts'
import { encodeTask, newTask, taskBooks, taskKey, type Task } from '../../src/budget/tasks/task.ts'
import { NOTE } from '../support/ledger-drivers.ts'
import { runCommand, type CommandResult } from '../support/run-command.ts'

const DAY = Date.parse('2027-01-15T12:00:00Z')

interface Given extends Partial<Task> {
  /** Nano-dollars, and the tool calls before each. */
  readonly calls?: readonly (readonly [cost: number, toolCalls: number])[]
}

/** A data directory with these tasks in its ledger. */
function dataDir(tasks: Readonly<Record<string, Given>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-report-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const db = openLedgerFile(join(dir, LEDGER_FILE), 'process')
  const journal = new SqliteJournal(db)
  for (const [id, { calls = [], ...given }] of Object.entries(tasks)) {
    const task = { ...newTask('acme', id, 'coding', {}, DAY), startedMs: DAY, lastMs: DAY, ...given }
    const books = taskBooks('acme', id)
    journal.commit({
      documents: [{ kind: 'task', id: taskKey('acme', id), text: encodeTask(task) }],
      books: [{ id: books.usd, settled: calls.reduce((sum, [cost]) => sum + cost, 0) }],
      attempts: calls.map(([cost, toolCalls], index) => ({
        id: `${id}/${index}`,
        state: 'settled',
        lines: [{ book: books.usd, amount: cost, limit: undefined }],
        settled: [cost],
        tokens: { input: 1000, output: 10 },
        note: { ...NOTE, tenant: 'acme', task: id, toolCalls },
        row: undefined,
      })),
    })
  }
  db.close()
  return dir
}

const report = (dir: string, ...flags: readonly string[]): Promise<CommandResult> =>
  runCommand(['report', 'tasks', '--data-dir', dir, ...flags], { cwd: dir })

const COMPLETION = { outcome: 'success', quality: undefined, isEscalated: false, toolCalls: undefined } as const
const DONE = { state: 'completed', completion: { ...COMPLETION, hasPassed: true } } as const
const WRONG = { state: 'failed', completion: { ...COMPLETION, hasPassed: false } } as const

test('a table says what tasks cost by type and outcome, and what a cap would have saved', async () => {
  const dir = dataDir({
    good: { ...DONE, toolCalls: 2, calls: [[100_000_000, 0]] },
    long: {
      ...WRONG,
      toolCalls: 9,
      calls: [
        [200_000_000, 0],
        [300_000_000, 7],
      ],
    },
  })
  const { code, out } = await report(dir)
  expect(code).toBe(0)
  expect(out.split('\n')).toEqual([
    'type    outcome         tasks     USD  per task     p50     p95     max  tool calls  p95  model calls  seconds',
    expect.stringMatching(/^coding {2}all +2 {2}0\.6000 +0\.3000 {2}0\.1000 {2}0\.5000 {2}0\.5000 +5\.50 +9 /),
    expect.stringMatching(/^ +success +1 {2}0\.1000 /),
    expect.stringMatching(/^ +silent_failure +1 {2}0\.5000 /),
    '',
    "coding: 1 of 2 ended tasks completed (50.0 %) at $0.6000 each, the failed ones' cost included; 0.0 % handed to a human; 50.0 % silent failures, as far as checks have found out",
    '',
    'with a cap of 6 tool calls / $0.50, 1 of 2 tasks would have been stopped, saving $0.3000 (50.0 % of the cost); 0 of them ended as they should without it',
    '',
  ])
})

test('calls of tools that write are in the table where there are any, and in CSV and JSON always', async () => {
  const dir = dataDir({
    one: { ...DONE, toolCalls: 3, writeIds: new Set(['a', 'b', 'c']), calls: [[100, 0]] },
    two: { ...DONE, toolCalls: 4, calls: [[100, 0]] },
  })
  const [head = '', all = ''] = (await report(dir)).out.split('\n')
  expect(head).toMatch(/tool calls {2}p95 {2}write calls {2}model calls/)
  const end = head.indexOf('write calls') + 'write calls'.length
  expect(all.slice(end - 'write calls'.length, end).trim()).toBe('1.50')
  const [names = '', cells = ''] = (await report(dir, '--format', 'csv')).out.split('\r\n')
  expect(cells.split(',')[names.split(',').indexOf('write_calls_mean')]).toBe('1.5')
  expect(JSON.parse((await report(dir, '--format', 'json')).out)).toMatchObject({ all: { write_calls_mean: 1.5 } })
})

test('several types have a total, and a cap that is named replaces the one of the example', async () => {
  const dir = dataDir({
    one: { ...DONE, calls: [[100, 0]] },
    two: { ...DONE, type: 'support', calls: [[200, 0]] },
  })
  const { out } = await report(dir, '--cap-usd', '0.0000001')
  expect(out).toMatch(/^all types +all +2/m)
  expect(out).toContain('with a cap of $0.0000001, 1 of 2 tasks would have been stopped')
})

test('CSV has exact amounts, and a type name that a caller chose is neither a formula nor a second cell', async () => {
  const dir = dataDir({
    one: { ...DONE, type: '=HYPERLINK("x","y")', calls: [[123_456_789, 0]] },
  })
  const { out } = await report(dir, '--format', 'csv')
  const [head, all, success, end] = out.split('\r\n')
  expect(head?.startsWith('type,outcome,tasks,cost_usd,cost_nano_usd,')).toBe(true)
  expect(all?.startsWith(`"'=HYPERLINK(""x"",""y"")",all,1,0.123456789,123456789,0,0.123456789,`)).toBe(true)
  expect(success?.startsWith(`"'=HYPERLINK(""x"",""y"")",success,1,`)).toBe(true)
  expect(end).toBe('')
  const cells = head?.split(',').length
  expect(all?.replace(/^"(?:[^"]|"")*"/, 'type').split(',')).toHaveLength(cells ?? 0)
  expect(success?.replace(/^"(?:[^"]|"")*"/, 'type').split(',')).toHaveLength(cells ?? 0)
})

test('days are in UTC and both included', async () => {
  const at = (time: string): Given => ({ ...DONE, lastMs: Date.parse(time) })
  const dir = dataDir({
    before: at('2027-01-14T23:59:59.999Z'),
    first: at('2027-01-15T00:00:00Z'),
    last: at('2027-01-16T23:59:59.999Z'),
    after: at('2027-01-17T00:00:00Z'),
  })
  const { out } = await report(dir, '--since', '2027-01-15', '--until', '2027-01-16', '--format', 'json')
  expect(JSON.parse(out)).toMatchObject({ all: { tasks: 2 } })
})

test('a period without tasks is said in words', async () => {
  expect((await report(dataDir({}))).out).toBe('no tasks\n')
})

test('a report writes nothing into the ledger', async () => {
  const dir = dataDir({ one: { ...DONE, calls: [[100, 0]] } })
  const before = readFileSync(join(dir, LEDGER_FILE))
  await report(dir)
  expect(readFileSync(join(dir, LEDGER_FILE)).equals(before)).toBe(true)
})

test.each([
  [['report'], /report what\? There is "switchyard report tasks"/],
  [['report', 'task'], /Did you mean "tasks"/],
  [['report', 'tasks', 'now'], /takes flags only/],
  [['report', 'tasks', '--format', 'xml'], /--format xml is none of table, csv, json/],
  [['report', 'tasks', '--since', '2027-02-30'], /--since 2027-02-30 is no day/],
  [['report', 'tasks', '--since', '2027-02-02', '--until', '2027-02-01'], /--until is before --since/],
  [['report', 'tasks', '--cap-usd', '1e400'], /--cap-usd 1e400 is no amount/],
  [['report', 'tasks', '--cap-tool-calls', '-1'], /--cap-tool-calls/],
  [['report', 'tasks', '--cap-tool-call', '6'], /Did you mean --cap-tool-calls/],
  [['report', 'tasks'], /There is no ledger in /],
])('%o is refused with a sentence', async (args, sentence) => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-report-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const { code, out, err } = await runCommand(args, { cwd: dir })
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(sentence)
})
