import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** What a process and all its descendants have used so far. */
export interface TreeUsage {
  /** User + system time of all threads, reaped children included, in milliseconds. The kernel's grain is 10 ms. */
  readonly cpuMs: number
  /** Sum of resident sets, in MiB; pages that processes share are counted once per process. */
  readonly rssMiB: number
  readonly pids: readonly number[]
}

interface Stat {
  readonly parent: number
  readonly ticks: number
}

/** Clock ticks per second, `sysconf(_SC_CLK_TCK)`; see proc_pid_stat(5). */
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** Reads the usage of the tree under `root` from `/proc`. Throws when the root process is gone. */
export function readTree(root: number): TreeUsage {
  const stats = new Map<number, Stat>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const stat = readStat(pid)
    if (stat !== undefined) stats.set(pid, stat)
  }
  if (!stats.has(root)) throw new Error(`process ${root} is gone`)
  const pids = [root]
  for (const parent of pids) for (const [pid, stat] of stats) if (stat.parent === parent) pids.push(pid)
  let ticks = 0
  let rssMiB = 0
  for (const pid of pids) {
    ticks += stats.get(pid)?.ticks ?? 0
    rssMiB += residentMiB(pid)
  }
  return { cpuMs: (ticks * 1000) / ticksPerSecond, rssMiB, pids }
}

function readStat(pid: number): Stat | undefined {
  const text = readProc(`/proc/${pid}/stat`)
  // The command name may hold spaces and brackets; the fields start behind its last bracket. Field 3 is index 0.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields === undefined) return undefined
  const field = (number: number): number => Number(fields[number - 3] ?? 0)
  return { parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) }
}

function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readProc(`/proc/${pid}/status`) ?? '')
  return Number(kib?.[1] ?? 0) / 1024
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // the process ended between the listing and the reading
  }
}
