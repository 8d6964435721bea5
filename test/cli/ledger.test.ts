/** The ledger as an operator handles it: killed services, real commands, and the provider's bill as judge. */
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { formatUsd, toNanoUsd } from '../../src/shared/money.ts'
import { billedBeyond, chat, killedService, MODELS, type KillWorld, type Listed } from '../support/kill-world.ts'
import { ADMIN_KEY } from '../support/money-world.ts'

const LEDGER = 'data/ledger.sqlite'

async function list(world: KillWorld, ...flags: readonly string[]): Promise<readonly Listed[]> {
  const { code, out, err } = await world.run('ledger', 'reconcile', '--json', ...flags)
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out) as Listed[]
}

/** What is settled per model, read from the file. */
function settledIn(dir: string): (model: string) => number {
  const db = new DatabaseSync(join(dir, LEDGER), { readOnly: true })
  const rows = db.prepare('SELECT model, sum(cost) AS cost FROM daily GROUP BY model').all()
  db.close()
  const byModel = new Map(rows.map(({ model, cost }) => [String(model), Number(cost)]))
  return (model) => byModel.get(model) ?? 0
}

/** The provider's export of what it billed for the cut answers, as CSV. */
function usageExport(world: KillWorld, attempts: readonly Listed[]): string {
  const billed = billedBeyond(world.simulator, settledIn(world.dir))
  const lines = attempts.map(
    ({ id, model }) => `${id},${formatUsd(toNanoUsd(billed.get(model) ?? 0))},"usage export, ""${model}"""`,
  )
  const file = join(world.dir, 'usage.csv')
  writeFileSync(file, `id,usd,evidence\n${lines.join('\n')}\n`)
  return file
}

async function usage(url: string): Promise<{ nano_usd: number; unresolved_nano_usd: number }> {
  const reply = await fetch(`${url}/v1/usage?by=model`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })
  return ((await reply.json()) as { total: { nano_usd: number; unresolved_nano_usd: number } }).total
}

describe('after kill -9', () => {
  test('with a service running again: what is settled from the usage export makes the totals equal to the bill', async () => {
    const world = await killedService()
    const gateway = await world.start()
    const unresolved = await list(world)
    expect(unresolved.map(({ model, state }) => `${model} ${state}`).toSorted()).toEqual(
      MODELS.map((model) => `${model} unresolved`).toSorted(),
    )
    const billed = billedBeyond(world.simulator, settledIn(world.dir))
    for (const { model, hold_nano_usd } of unresolved)
      expect(hold_nano_usd).toBeGreaterThanOrEqual(billed.get(model) as number)

    const file = usageExport(world, unresolved)
    const trial = await world.run('ledger', 'reconcile', '--from', file)
    expect([trial.code, trial.err]).toEqual([0, expect.stringContaining('Nothing was changed')])
    expect((await usage(gateway.url)).unresolved_nano_usd).toBeGreaterThan(0)

    expect((await world.run('ledger', 'reconcile', '--from', file, '--yes')).code).toBe(0)
    const total = await usage(gateway.url)
    expect(total).toMatchObject({ nano_usd: Number(world.simulator.meter.total()), unresolved_nano_usd: 0 })
    const settled = await list(world)
    expect(settled.map(({ state }) => state)).toEqual(['settled', 'settled', 'settled'])
    for (const { model, evidence, settled_by } of settled)
      expect([evidence, settled_by]).toEqual([`usage export, "${model}"`, expect.stringMatching(/./)])

    const again = await world.run('ledger', 'reconcile', '--from', file, '--yes')
    expect([again.code, again.out]).toEqual([0, expect.stringContaining('before')])
    expect((await usage(gateway.url)).nano_usd).toBe(Number(world.simulator.meter.total()))
    expect((await world.run('ledger', 'verify')).code).toBe(0)
  })

  test('with no service running: one by one, and the next start has the totals', async () => {
    const world = await killedService()
    const unresolved = await list(world)
    expect(unresolved).toHaveLength(3)
    const billed = billedBeyond(world.simulator, settledIn(world.dir))
    for (const { id, model } of unresolved) {
      const usd = formatUsd(toNanoUsd(billed.get(model) as number))
      const { code, out } = await world.run(
        'ledger',
        'reconcile',
        '--settle',
        id,
        '--usd',
        usd,
        '--evidence',
        'invoice',
      )
      expect([code, out]).toEqual([0, expect.stringContaining(`${id} settled at ${usd} USD`)])
    }
    const gateway = await world.start()
    expect(await usage(gateway.url)).toMatchObject({
      nano_usd: Number(world.simulator.meter.total()),
      unresolved_nano_usd: 0,
    })
  })

  test('over HTTP with the admin key; --void settles at 0 and is never free again', async () => {
    const world = await killedService()
    const gateway = await world.start()
    const flags = ['--url', gateway.url]
    const [first, second] = await list(world, ...flags)
    const voided = await world.run(
      'ledger',
      'reconcile',
      '--void',
      first!.id,
      '--evidence',
      'support said so',
      ...flags,
    )
    expect([voided.code, voided.out]).toEqual([0, expect.stringContaining('settled at 0 USD')])
    const refused = await world.run(
      'ledger',
      'reconcile',
      '--settle',
      first!.id,
      '--usd',
      '1',
      '--evidence',
      'x',
      ...flags,
    )
    expect([refused.code, refused.out]).toEqual([2, expect.stringContaining('settled with other evidence before')])
    const dear = await world.run(
      'ledger',
      'reconcile',
      '--settle',
      second!.id,
      '--usd',
      '3',
      '--evidence',
      'x',
      ...flags,
    )
    expect(dear.out).toContain('more than was held for it')
    const table = (await world.run('ledger', 'reconcile', ...flags)).out
    expect(table).toMatch(/^1 unresolved, 0\.\d+ USD held for them\n/)
    expect(table).toMatch(/settled with evidence\n[^]*support said so/)
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ settlements: [{ id: second!.id, nano_usd: 0, evidence: 'mine' }] })
    for (const authorization of ['Bearer sk-test', 'Bearer sk-wrong']) {
      const reply = await fetch(`${gateway.url}/v1/admin/ledger/settle`, {
        method: 'POST',
        headers: { ...headers, authorization },
        body,
      })
      expect([401, 403]).toContain(reply.status)
    }
  })
})

test('wrong command lines and wrong files are refused with what to do, and nothing is settled', async () => {
  const world = await killedService()
  const [one] = await list(world)
  const id = one!.id
  let files = 0
  const file = (text: string): string => {
    const name = `bad-${(files += 1)}.csv`
    writeFileSync(join(world.dir, name), text)
    return name
  }
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['--settle', id, '--usd', '1'], /--evidence is missing/],
    [['--settle', id, '--usd', '-1', '--evidence', 'x'], /usd/],
    [['--settle', id, '--usd', 'NaN', '--evidence', 'x'], /--usd must be dollars/],
    [['--settle', id, '--usd', '1e400', '--evidence', 'x'], /--usd must be dollars/],
    [['--settle', id, '--usd', '9999999999', '--evidence', 'x'], /--usd must be dollars/],
    [['--void', id, '--usd', '1', '--evidence', 'x'], /--void settles at 0/],
    [['--void', id, '--settle', id], /exclude each other/],
    [['--from', 'nowhere.csv'], /cannot be read \(ENOENT\)/],
    [['--from', file('')], /holds no settlement/],
    [['--from', file(`id,usd,evidence\n${id},one,x\n`), '--yes'], /line 2: usd must be dollars/],
    [['--from', file(`{"id":"${id}","usd":1,"evidence":"x"}\n{"id"`), '--yes'], /line 2: it is no JSON/],
    [['--from', file(`{"id":"${id}","usd":1}`), '--yes'], /line 1: it needs an id, usd and evidence/],
    [['--from', file(`id,usd,evidence,note\n${id},1,x,y\n`), '--yes'], /there is no "note"/],
  ]
  for (const [flags, message] of cases) {
    const { code, err } = await world.run('ledger', 'reconcile', ...flags)
    expect([flags.join(' '), code, err]).toEqual([flags.join(' '), 2, expect.stringMatching(message)])
  }
  const unknown = await world.run('ledger', 'reconcile', '--settle', 'nobody/1', '--usd', '1', '--evidence', 'x')
  expect([unknown.code, unknown.out]).toEqual([2, expect.stringContaining('no unresolved attempt has this id')])
  expect(await list(world)).toHaveLength(3)
  const elsewhere = await world.run('ledger', 'reconcile', '--data-dir', 'nothing-here')
  expect([elsewhere.code, existsSync(join(world.dir, 'nothing-here/ledger.sqlite'))]).toEqual([2, false])
  expect((await world.run('ledger', 'reconcile', '--url', 'http://127.0.0.1:9')).code).toBe(69)
  expect((await world.run('ledger', 'recondile')).err).toContain('Did you mean "reconcile"?')
})

describe('backup and verify', () => {
  test('a backup of a working service is one whole, checked file that a new service starts from', async () => {
    const world = await killedService()
    const gateway = await world.start()
    const stop = new AbortController()
    const load = MODELS.map(async (model) => {
      while (!stop.signal.aborted) await (await chat(gateway, model, { max_tokens: 1 })).text()
    })
    for (let i = 0; i < 5; i++) {
      const made = await world.run('ledger', 'backup', `b${i}.sqlite`, '--json')
      expect([made.code, made.err]).toEqual([0, ''])
      expect(JSON.parse(made.out)).toMatchObject({ problems: [], unresolved: 3 })
      expect((await world.run('ledger', 'verify')).code).toBe(0)
    }
    stop.abort()
    await Promise.all(load)
    const checked = await world.run('ledger', 'verify', 'b4.sqlite', '--json')
    const { settled } = JSON.parse(checked.out) as { settled: number }
    expect(readdirSync(world.dir).filter((name) => name.startsWith('b4'))).toEqual(['b4.sqlite'])
    expect(statSync(join(world.dir, 'b4.sqlite')).mode & 0o777).toBe(0o600)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toBe(0)

    for (const end of ['', '-wal', '-shm']) rmSync(join(world.dir, LEDGER + end), { force: true })
    copyFileSync(join(world.dir, 'b4.sqlite'), join(world.dir, LEDGER))
    const restored = await world.start()
    expect((await usage(restored.url)).nano_usd).toBe(settled)
  })

  test('it overwrites nothing without --force, and leaves no half file behind', async () => {
    const world = await killedService()
    writeFileSync(join(world.dir, 'there.sqlite'), 'mine')
    const refused = await world.run('ledger', 'backup', 'there.sqlite')
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('is there already')])
    expect(readFileSync(join(world.dir, 'there.sqlite'), 'utf8')).toBe('mine')
    expect((await world.run('ledger', 'backup', 'there.sqlite', '--force')).out).toContain('checked: 6 attempts')
    expect((await world.run('ledger', 'verify', 'there.sqlite')).out).toContain('everything adds up')
    expect((await world.run('ledger', 'backup', 'data/ledger.sqlite', '--force')).code).toBe(2)
    expect((await world.run('ledger', 'backup', 'no/such/folder/b.sqlite')).code).not.toBe(0)
    expect((await world.run('ledger', 'backup')).code).toBe(2)
  })

  test('a damaged ledger is refused at start with the commands that help; verify finds it, backup makes none of it', async () => {
    const world = await killedService()
    expect((await world.run('ledger', 'backup', 'good.sqlite')).code).toBe(0)
    const db = new DatabaseSync(join(world.dir, LEDGER))
    db.exec("UPDATE attempts SET lines = '1 x', hold = 1 WHERE state < 3")
    db.close()
    const verified = await world.run('ledger', 'verify')
    expect([verified.code, verified.err]).toEqual([1, expect.stringContaining('checksum does not fit')])
    expect((await world.run('ledger', 'backup', 'bad.sqlite')).err).toContain('No backup was made')
    expect(existsSync(join(world.dir, 'bad.sqlite'))).toBe(false)
    await expect(world.start()).rejects.toThrow(
      /damaged[^]*switchyard ledger backup FILE[^]*switchyard ledger verify FILE/,
    )
    copyFileSync(join(world.dir, 'good.sqlite'), join(world.dir, LEDGER))
    const gateway = await world.start()
    expect((await usage(gateway.url)).unresolved_nano_usd).toBeGreaterThan(0)
    for (const bytes of ['no database', '']) {
      writeFileSync(join(world.dir, 'broken.sqlite'), bytes)
      expect((await world.run('ledger', 'verify', 'broken.sqlite')).code).toBe(1)
    }
    expect((await world.run('ledger', 'verify', 'absent.sqlite')).code).toBe(2)
  })
})
