/** What the local encoder costs: time by length of text, loading, memory, and the event loop of whoever asks. See README.md. */
import { costOfLength, loadedEncoder, loopDelay, residentMiB, type EncoderUnderTest } from './scenarios/encoder-cost.ts'
import { readFlags } from './support/options.ts'
import { Progress } from './support/progress.ts'
import { machine, writeReport } from './support/report.ts'
import { spread } from './support/statistics.ts'
import { short, table } from './support/table.ts'

const LENGTHS = [8, 16, 48, 64, 256]
const CALLERS = [0, 1, 8]
const flags = readFlags({
  help: `node benchmarks/encoder.ts [--rounds 5] [--seconds 5] [--quick]

Texts of 8, 16, 48, 64 and 256 tokens, one after the other: wall time and processor time of the worker; start of the worker to ready;
resident memory of both processes; delay of this process's event loop while texts of 48 tokens are asked for.
Writes benchmarks/results/encoder.json, or encoder-quick.json.`,
  rounds: 5,
  seconds: 5,
  quick: { rounds: 2, seconds: 0.5 },
})
const { rounds, seconds } = flags
const texts = flags.quick ? 10 : 60
const progress = new Progress(rounds + LENGTHS.length + CALLERS.length)
const ownRssMiB = residentMiB(process.pid)

const loads: number[] = []
let subject: EncoderUnderTest | undefined
for (let round = 0; round < rounds; round++) {
  progress.step('load')
  subject?.encoder.close()
  subject = await loadedEncoder()
  loads.push(subject.loadMs)
}
if (subject === undefined) throw new Error('nothing was loaded')
const { pid } = subject
const loadMs = spread(loads)
const rss = { ownMiB: ownRssMiB, loadedMiB: residentMiB(pid), usedMiB: 0 }

const lengths = []
for (const tokens of LENGTHS) {
  progress.step(`${tokens} tokens`)
  lengths.push(await costOfLength(subject, tokens, { rounds, texts: tokens > 100 ? Math.ceil(texts / 3) : texts }))
}
rss.usedMiB = residentMiB(pid)

const delays = []
for (const callers of CALLERS) {
  progress.step(`event loop, ${callers} callers`)
  delays.push(await loopDelay(subject, callers, seconds))
}
subject.encoder.close()
progress.end()

const idleCpuMs = delays[0]?.ownCpuMs ?? 0
const { cpuModel, cores, memoryMiB, loadAverage } = machine()
console.log(
  `${String(cpuModel)}, ${String(cores)} cores, ${String(memoryMiB)} MiB, load average ${String(loadAverage)}\n`,
)
console.log(
  table(
    ['tokens', 'wall p50 ms', 'p99', 'worker CPU ms/text', 'min-max', 'n'],
    lengths.map(({ tokens, p50Ms, p99Ms, cpuMs, n }) => [
      String(tokens),
      short(p50Ms),
      short(p99Ms),
      short(cpuMs.median),
      `${short(cpuMs.min)}-${short(cpuMs.max)}`,
      String(n),
    ]),
  ),
)
console.log(
  `\nload: ${short(loadMs.median)} ms (${short(loadMs.min)}-${short(loadMs.max)}, n = ${loadMs.n}); worker ${short(rss.loadedMiB)} MiB when loaded, ${short(rss.usedMiB)} MiB after use\n`,
)
console.log(
  table(
    ['event loop, texts of 48 tokens', 'texts/s', 'delay p50 ms', 'p99', 'max', 'own CPU ms/text'],
    delays.map((row) => [
      row.load,
      ...[row.perSecond, row.p50Ms, row.p99Ms, row.maxMs].map(short),
      row.perSecond === 0 ? '-' : short((row.ownCpuMs - idleCpuMs) / row.perSecond),
    ]),
  ),
)
const report = { rounds, texts, seconds, loadMs, rss, lengths, delays }
console.log(`\n${writeReport(flags.quick ? 'encoder-quick' : 'encoder', report)}`)
