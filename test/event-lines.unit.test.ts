import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventLines, removeEventLines, removeOldEventLines } from '../src/event-lines.ts'
import { RotatingFile } from '../src/telemetry/rotating-file.ts'

const line = (day: string, tenant: string, request: string): string =>
  `${JSON.stringify({ run_id: 't', type: 'model_call', time: `${day}T10:00:00.000Z`, tenant, request_id: request })}\n`

function log(older: string, newer: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-events-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const path = join(dir, 'events.jsonl')
  writeFileSync(`${path}.1`, older)
  writeFileSync(path, newer)
  return path
}

const text = (path: string): string => readFileSync(`${path}.1`, 'utf8') + readFileSync(path, 'utf8')

test("a tenant's lines go from both parts of the log, others stay, and so does a line that a killed process left", async () => {
  const kept = line('2026-01-02', 'globex', 'r3')
  const torn = '{"run_id":"acme","ten'
  const path = log(line('2026-01-01', 'acme', 'r1') + kept, line('2026-01-02', 'acme', 'r2') + torn)
  const found: string[] = []
  for await (const each of eventLines(path, 'acme', undefined)) found.push(each)
  expect(found).toHaveLength(2)
  expect(await removeEventLines(path, 'acme', undefined)).toBe(2)
  expect(text(path)).toBe(`${kept}${torn}\n`)
  expect([existsSync(`${path}.part`), existsSync(`${path}.1.part`)]).toEqual([false, false])
})

test('of some requests only their lines go, not those of the same tenant', async () => {
  const kept = line('2026-01-01', 'acme', 'r2')
  const path = log('', line('2026-01-01', 'acme', 'r1') + kept)
  expect(await removeEventLines(path, 'acme', new Set(['r1']))).toBe(1)
  expect(text(path)).toBe(kept)
})

test('lines from before a moment go, and a log without such lines is not touched', async () => {
  const kept = line('2026-01-03', 'acme', 'r3') + line('2026-01-04', 'acme', 'r4')
  const path = log(line('2026-01-01', 'acme', 'r1') + line('2026-01-02', 'acme', 'r2'), kept)
  expect(await removeOldEventLines(path, Date.parse('2026-01-02'))).toBe(1)
  expect(await removeOldEventLines(path, Date.parse('2026-01-03'))).toBe(1)
  expect(await removeOldEventLines(path, Date.parse('2026-01-03'))).toBe(0)
  expect(text(path)).toBe(kept)
  expect(await removeOldEventLines(join(path, 'absent'), Date.parse('2026-01-03'))).toBe(0)
})

test('lines that are written while others are taken out wait, and none is lost', async () => {
  const path = log('', '')
  const file = new RotatingFile(path, { maxBytes: 1e9, onTrouble: () => {} })
  file.write(line('2026-01-01', 'acme', 'r1'))
  const removed = file.paused(async () => {
    file.write(line('2026-01-02', 'globex', 'r2'))
    file.flush()
    return removeEventLines(path, 'acme', undefined)
  })
  expect(await removed).toBe(1)
  file.write(line('2026-01-03', 'globex', 'r3'))
  file.close()
  expect(text(path)).toBe(line('2026-01-02', 'globex', 'r2') + line('2026-01-03', 'globex', 'r3'))
})
