/** V8 CPU profile as the inspector's `Profiler.stop` returns it (Chrome DevTools protocol, domain Profiler). */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  /** Node id of each sample. */
  readonly samples: readonly number[]
  /** Microseconds between samples. */
  readonly timeDeltas: readonly number[]
}
interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
}
/** Time that was spent in one function itself, not in what it called. */
export interface SelfTime {
  readonly name: string
  /** File and line, shortened to what a reader needs. */
  readonly where: string
  readonly us: number
}

/** Self time by function, longest first; idle time is left out, so that shares are shares of work. */
export function selfTimes(profile: CpuProfile): SelfTime[] {
  const places = new Map(profile.nodes.map((node) => [node.id, place(node)]))
  return sumUp(profile, (id) => places.get(id))
}

/** Self time by who wrote the code: this project, each package, Node itself, and what is no JavaScript. */
export function ownerTimes(profile: CpuProfile): SelfTime[] {
  const owners = new Map(profile.nodes.map((node) => [node.id, { name: owner(node), where: '' }]))
  return sumUp(profile, (id) => owners.get(id))
}

function sumUp(profile: CpuProfile, key: (id: number) => { name: string; where: string } | undefined): SelfTime[] {
  const sums = new Map<string, { name: string; where: string; us: number }>()
  for (const [index, id] of profile.samples.entries()) {
    const at = key(id)
    if (at === undefined || at.name === '(idle)' || at.name === '(root)') continue
    const label = `${at.name} ${at.where}`
    const sum = sums.get(label) ?? { ...at, us: 0 }
    // A delta belongs to the sample it leads up to; clocks may step back by a microsecond.
    sum.us += Math.max(0, profile.timeDeltas[index] ?? 0)
    sums.set(label, sum)
  }
  return [...sums.values()].toSorted((a, b) => b.us - a.us)
}

function place({ callFrame }: ProfileNode): { name: string; where: string } {
  const { functionName, url, lineNumber } = callFrame
  const path = url.replace(/^.*\/node_modules\//, '').replace(/^file:\/\/.*\/(src|benchmarks)\//, '$1/')
  return {
    name: functionName === '' ? '(anonymous)' : functionName,
    where: path === '' ? '' : `${path}:${lineNumber + 1}`,
  }
}

function owner({ callFrame }: ProfileNode): string {
  const { functionName, url } = callFrame
  if (functionName === '(idle)' || functionName === '(root)') return functionName
  const parts = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)
  if (parts?.[1] !== undefined) return parts[1]
  if (url.startsWith('node:')) return 'node'
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)'
  const folder = /\/src\/([^/]+)/.exec(url)?.[1]
  return folder === undefined ? 'other' : `src/${folder}`
}
