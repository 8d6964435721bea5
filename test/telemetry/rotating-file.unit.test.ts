import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { RotatingFile } from '../../src/telemetry/rotating-file.ts'

function directory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-log-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

test('a log stays within its size, keeps the latest lines and is made when it is first needed', () => {
  const path = join(directory(), 'sub', 'events.jsonl')
  const file = new RotatingFile(path, { maxBytes: 2000, onTrouble: () => expect.unreachable() })
  expect(existsSync(path)).toBe(false)
  for (let i = 0; i < 500; i++) {
    file.write(`${String(i).padStart(9, '0')}\n`)
    if (i % 10 === 0) file.flush()
  }
  file.close()
  expect(statSync(path).size + statSync(`${path}.1`).size).toBeLessThanOrEqual(2000)
  const lines = (readFileSync(`${path}.1`, 'utf8') + readFileSync(path, 'utf8')).trim().split('\n').map(Number)
  expect(lines.at(-1)).toBe(499)
  expect(lines.every((line, i) => i === 0 || line === (lines[i - 1] as number) + 1)).toBe(true)
})

test('what cannot be written is said once, costs nothing else, and is written when there is room again', () => {
  const dir = directory()
  const path = join(dir, 'events.jsonl')
  const heard: unknown[] = []
  // A directory of that name stands in the way.
  const inTheWay = new RotatingFile(dir, { maxBytes: 2000, onTrouble: (error) => heard.push(error) })
  inTheWay.write('a\n')
  inTheWay.flush()
  inTheWay.flush()
  expect(heard).toHaveLength(1)
  inTheWay.close()
  const file = new RotatingFile(path, { maxBytes: 2000, onTrouble: (error) => heard.push(error) })
  file.write('b\n')
  file.close()
  expect(readFileSync(path, 'utf8')).toBe('b\n')
})
