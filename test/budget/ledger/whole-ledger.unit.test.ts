import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { JournaledLedger } from '../../../src/budget/ledger/journaled-ledger.ts'
import { SqliteJournal } from '../../../src/budget/ledger/sqlite-journal.ts'
import { verifyLedger } from '../../../src/budget/upkeep/verify-ledger.ts'
import { readWholeLedger } from '../../../src/budget/ledger/whole-ledger.ts'
import { isDataDirLocked, lockDataDir } from '../../../src/store/sqlite-file.ts'
import { openLedger, reservation } from '../../support/ledger-drivers.ts'
import { runCommand } from '../../support/run-command.ts'

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-whole-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A data directory as a killed service leaves it: one attempt was sent, and only the log knows of it. */
async function killed(): Promise<string> {
  const live = newDir()
  const db = openLedger(join(live, 'ledger.sqlite'))
  const ledger = new JournaledLedger(new SqliteJournal(db), {
    defer: (flush, isWaitedFor) => void (isWaitedFor && setImmediate(flush)),
  })
  await ledger.reserve({ ...reservation('a', 600), sendsAtOnce: true })
  const dir = newDir()
  for (const end of ['', '-wal']) {
    const from = join(live, `ledger.sqlite${end}`)
    if (existsSync(from)) cpSync(from, join(dir, `ledger.sqlite${end}`))
  }
  db.close()
  return dir
}

const attempts = (db: DatabaseSync): number => Number(db.prepare('SELECT count(*) AS n FROM attempts').get()?.['n'])

test('what only the log of a killed service knows is read, and the file itself stays as it is', async () => {
  const path = join(await killed(), 'ledger.sqlite')
  expect(await readWholeLedger(path, (db) => ({ n: attempts(db), problems: verifyLedger(db).problems }))).toEqual({
    n: 1,
    problems: [],
  })
  const db = new DatabaseSync(path, { readOnly: true })
  onTestFinished(() => db.close())
  expect(attempts(db)).toBe(0)
})

test('"ledger verify" and "export" count it, and a backup holds it in its tables', async () => {
  const dir = await killed()
  const verified = await runCommand(['ledger', 'verify', '--data-dir', dir, '--json'], { cwd: dir })
  expect(JSON.parse(verified.out)).toMatchObject({ attempts: 1, problems: [] })
  const exported = await runCommand(['export', '--tenant', 'acme', '--data-dir', dir], { cwd: dir })
  expect(exported.out).toContain('"type":"attempt"')
  const made = await runCommand(['ledger', 'backup', 'copy.sqlite', '--data-dir', dir], { cwd: dir })
  expect({ code: made.code, err: made.err }).toEqual({ code: 0, err: '' })
  const copy = new DatabaseSync(join(dir, 'copy.sqlite'), { readOnly: true })
  onTestFinished(() => copy.close())
  expect(attempts(copy)).toBe(1)
})

test('beside a running service the file is read as it stands', async () => {
  const dir = await killed()
  const release = lockDataDir(dir)
  onTestFinished(release)
  expect(isDataDirLocked(dir)).toBe(true)
  expect(await readWholeLedger(join(dir, 'ledger.sqlite'), attempts)).toBe(0)
})

test('looking for a lock makes none', () => {
  const dir = newDir()
  expect(isDataDirLocked(dir)).toBe(false)
  expect(readdirSync(dir)).toEqual([])
})
