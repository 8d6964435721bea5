/** One gateway's worth of reservations, as a process of its own: `node redis-reserver.ts URL ID COUNT AMOUNT LIMIT`. Prints what came of them. */
import { reservation } from './ledger-drivers.ts'
import { openRedisLedger } from './redis-driver.ts'

const [url = '', name = '', count = '0', amount = '0', limit = '0'] = process.argv.slice(2)
const { ledger, die } = await openRedisLedger(url, { commandTimeoutMs: 20_000 })
await ledger.start()
const results = await Promise.all(
  Array.from({ length: Number(count) }, (_, i) =>
    ledger.reserve({ ...reservation(`${name}-${i}`, Number(amount), Number(limit)), sendsAtOnce: true }),
  ),
)
const kinds: Record<string, number> = {}
for (const { kind } of results) kinds[kind] = (kinds[kind] ?? 0) + 1
process.stdout.write(`${JSON.stringify(kinds)}\n`)
die()
