import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { main } from '../../src/main.ts'
import { upkeepWorld } from '../support/upkeep-world.ts'

/** Runs `forget` at a terminal where a person types an answer. */
async function forgetAt(
  dir: string,
  answer: string,
): Promise<{ code: number; asked: string; out: string; err: string }> {
  let [asked, out, err] = ['', '', '']
  const code = await main(['forget', '--tenant', 'acme', '--data-dir', dir], {
    env: {},
    cwd: dir,
    stdout: { write: (text) => void (out += text), isTty: true },
    stderr: { write: (text) => void (err += text), isTty: true },
    ask: (question) => {
      asked += question
      return Promise.resolve(answer)
    },
    onSignal: () => () => {},
  })
  return { code, asked, out, err }
}

test('at a terminal it asks for the name, and deletes only after that', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-forget-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const past = upkeepWorld(dir)
  await past.add([{ day: '2026-11-25', tenant: 'acme', key: 'ci', end: { cost: 5 } }])
  await past.ledger.close()
  past.db.close()
  for (const answer of ['', 'y', 'ACME']) {
    const { code, err } = await forgetAt(dir, answer)
    expect([code, err]).toEqual([2, 'Nothing was deleted.\n'])
  }
  const { code, asked, out } = await forgetAt(dir, 'acme\n')
  expect([code, asked]).toEqual([0, 'Everything of tenant "acme" is deleted for good. Type "acme" to go on: '])
  expect(out).toContain('1 attempts')
})
