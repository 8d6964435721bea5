import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Contender, Running } from './contender.ts'
import { peerCache } from './install.ts'
import { cores, pinning, pinSelf } from './launch.ts'
import { startMock, type Mock } from './mock.ts'
import type { Progress } from './progress.ts'

export interface Absent {
  readonly name: string
  readonly reason: string
}
/** The mock and everything that is measured against it. */
export interface Field {
  readonly mock: Mock
  readonly running: readonly Running[]
  readonly absent: readonly Absent[]
  /** Starts one more process of a contender, in a folder of its own. */
  start(contender: Contender): Promise<Running>
}

/**
 * Starts the mock and the contenders, runs `work`, and stops them all whatever happens. A contender that cannot run is
 * left out with its reason; the bench goes on with the others. Unless `pinned`, contenders may use every core.
 */
export async function withField<T>(
  contenders: readonly Contender[],
  progress: Progress,
  work: (field: Field) => Promise<T>,
  pinned = true,
): Promise<T> {
  if (process.platform !== 'linux') throw new Error('CPU time is read from /proc: these benchmarks need Linux')
  pinSelf()
  if (!pinning) progress.note('taskset or a second core is missing: nothing is pinned, expect more noise')
  const root = mkdtempSync(join(tmpdir(), 'switchyard-bench-'))
  const stops: (() => Promise<void>)[] = []
  const clear = (): void => rmSync(root, { recursive: true, force: true })
  process.once('exit', clear) // Ctrl-C ends the process without coming back here
  const core = pinned ? cores.contender : undefined
  try {
    const mock = await startMock(join(root, 'mock.log'))
    stops.push(() => mock.stop())
    let started = 0
    const start = async (contender: Contender): Promise<Running> => {
      const folder = join(root, `${contender.name}-${started++}`)
      mkdirSync(folder)
      const note = (text: string): void => progress.note(text)
      const running = await contender.start({ mock, core, folder, cache: peerCache, note })
      stops.push(() => running.service.stop())
      return running
    }
    const running: Running[] = []
    const absent: Absent[] = []
    for (const contender of contenders) {
      try {
        running.push(await start(contender))
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        absent.push({ name: contender.name, reason })
        progress.note(`without ${contender.name}: ${reason}`)
      }
    }
    return await work({ mock, running, absent, start })
  } finally {
    await Promise.all(stops.map((stop) => stop()))
    clear()
    process.off('exit', clear)
  }
}
