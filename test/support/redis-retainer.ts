/** One gateway's retention, as a process of its own: `node redis-retainer.ts URL BEFORE`. Prints `done` when all is done, by whomever. */
import { RedisPast } from '../../src/budget/redis/redis-past.ts'
import { keptFrom } from '../../src/budget/upkeep/retention.ts'
import { newId } from '../../src/shared/ids.ts'
import { SharedUpkeep } from '../../src/shared-upkeep.ts'
import { openRedisLedger } from './redis-driver.ts'

const [url = '', before = ''] = process.argv.slice(2)
const { ledger, link, die } = await openRedisLedger(url, { owner: newId('gw_'), commandTimeoutMs: 20_000 })
await ledger.beat()
const wallNow = (): number => Date.parse(before)
if (keptFrom(wallNow(), 0) !== before) throw new Error('BEFORE is no day')
const upkeep = new SharedUpkeep({
  link,
  ledger,
  past: new RedisPast(link),
  subjectKeys: () => {
    throw new Error('nobody is forgotten here')
  },
  forgetEvents: () => Promise.resolve(0),
  forgetResponses: () => Promise.resolve(0),
  expireEvents: () => Promise.resolve(),
  retention: () => ({ attemptsDays: 0, eventsDays: 0 }),
  idleMs: () => 0,
  wallNow,
  onEvent: () => {},
})
process.stdout.write('ready\n')
while ((await upkeep.retain()) > 0) await new Promise((resolve) => setTimeout(resolve, 200))
process.stdout.write('done\n')
die()
