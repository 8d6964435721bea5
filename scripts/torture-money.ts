/**
 * `npm run torture:money -- [--reservations 1000000] [--kills 1000] [--caps] [--seed 1] [--dir DIR]`: tries to make a
 * budget overspend. First with reservations from many sides at once, then with the real service killed at random moments and started on
 * the same data; with `--caps` by callers that ask for more than is left, so that their caps are lowered to it. Interrupted, it goes on with the next kill when it is started with the same seed and directory. Exit code 1 if a nano-dollar is wrong.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SingleBar } from 'cli-progress'
import { readOptions } from './support/read-options.ts'
import { tortureKills } from './torture-money/kills.ts'
import { tortureReservations } from './torture-money/reservations.ts'

const { values } = readOptions(
  `npm run torture:money -- [--reservations 1000000] [--kills 1000] [--caps] [--seed 1] [--dir DIR]

Tries to make a budget overspend: by reservations from many sides at once, and by killing the real service at random moments.
--caps: by callers that ask for more than is left. Interrupted, it goes on where it was with the same seed and directory.`,
  {
    reservations: { type: 'string', default: '1000000' },
    kills: { type: 'string', default: '1000' },
    caps: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    dir: { type: 'string', default: join(tmpdir(), 'switchyard-torture-money') },
  },
)
const seed = Number(values.seed)
let isRight = true

const reservations = Number(values.reservations)
if (reservations > 0) {
  const bar = startBar('reservations', reservations)
  const result = await tortureReservations(reservations, seed, (more) => bar.increment(more))
  bar.stop()
  console.log(
    `${reservations} concurrent reservations: ${result.admitted} admitted, ${result.refused} refused, ${result.perSecond}/s`,
  )
  console.log(`  overspent: ${result.overspent} nano-dollars; books that differ from the tally: ${result.wrong}`)
  isRight &&= result.overspent === 0n && result.wrong === 0
}

const kills = Number(values.kills)
if (kills > 0) {
  const bar = startBar('kills', kills)
  const result = await tortureKills({
    kills,
    seed,
    dir: values.dir,
    lowersCaps: values.caps,
    onDone: (done) => bar.update(done),
  })
  bar.stop()
  console.log(
    `${result.kills} kills: ${result.answered} whole answers, the provider billed ${result.billed} nano-dollars`,
  )
  if (values.caps) console.log(`  ${result.lowered} of them with a cap that was lowered to what was left`)
  console.log(`  counted as spent: ${result.counted} nano-dollars`)
  console.log(
    `  overspent: ${result.overspent} nano-dollars; billed and not counted: ${result.undercounted} nano-dollars`,
  )
  isRight &&= result.overspent === 0n && result.undercounted === 0n
  // Otherwise nothing was tried.
  isRight &&= !values.caps || result.lowered > 0
}
process.exitCode = isRight ? 0 : 1

function startBar(what: string, total: number): SingleBar {
  const bar = new SingleBar({ format: `${what} {bar} {value}/{total} {duration_formatted}`, stream: process.stderr })
  bar.start(total, 0)
  return bar
}
