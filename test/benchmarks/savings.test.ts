import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'

const BENCH = fileURLToPath(new URL('../../benchmarks/savings.ts', import.meta.url))

/** Every third question only the big model gets right; the small ones disagree exactly there. */
function cascadeRow(n: number): object {
  const answer = (isRight: boolean, wrong: string): object => ({
    a: isRight ? String(n) : wrong,
    ok: Number(isRight),
    oc: 400,
  })
  const isEasy = n % 3 !== 0
  return {
    id: `sums/${n}`,
    ds: 'sums',
    prompt: `A box holds ${n} red pens and 7 blue ones. How many red pens are in box number ${n}?`,
    m: {
      'Meta-Llama-3.1-8B-Instruct': answer(isEasy, `${n}1`),
      'gemma-2-9b-it': answer(isEasy, `${n}2`),
      'Qwen2-7B-Instruct': answer(isEasy, `${n}3`),
      'claude-3-5-sonnet-20241022': answer(true, ''),
    },
  }
}

test('recorded questions go through the real service, and what small models agree on is not paid twice', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-savings-test-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const lines = Array.from({ length: 15 }, (_, n) => JSON.stringify(cascadeRow(n + 1))).join('\n')
  writeFileSync(join(dir, 'cascade_zeroeval.mine.jsonl.gz'), gzipSync(`${lines}\n`))
  const { stdout } = await promisify(execFile)(process.execPath, [BENCH, '--data', dir, '--json'], { timeout: 55_000 })
  const { sets, nanoUsd } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as {
    sets: Record<
      string,
      { n: number; small: { quality: number }; big: { quality: number }; at: Record<string, object> }
    >
    nanoUsd: string
  }
  expect(sets['cascade_zeroeval']).toMatchObject({ n: 15, big: { quality: 1 } })
  expect(sets['cascade_zeroeval']?.small.quality).toBeCloseTo(2 / 3)
  expect(sets['all']?.at['0.98']).toMatchObject({
    saving: expect.toSatisfy((saving: number) => saving > 0.4) as number,
  })
  expect(BigInt(nanoUsd)).toBeGreaterThan(0n)
})
