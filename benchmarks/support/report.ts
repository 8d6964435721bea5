import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const folder = new URL('../results/', import.meta.url)

/** The circumstances without which a figure means nothing. */
export function machine(): Record<string, unknown> {
  const cores = cpus()
  return {
    date: new Date().toISOString(),
    node: process.version,
    platform: `${process.platform} ${release()} ${process.arch}`,
    cpuModel: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryMiB: Math.round(totalmem() / 1_048_576),
    loadAverage: loadavg().map((value) => Math.round(value * 100) / 100),
  }
}

/** Path of a file in the results folder, which is made if it is missing. */
export function resultPath(name: string): string {
  mkdirSync(folder, { recursive: true })
  return fileURLToPath(new URL(name, folder))
}

/** Writes `results/<name>.json` and returns its path; an older one of the same name is replaced. */
export function writeReport(name: string, content: Record<string, unknown>): string {
  const path = resultPath(`${name}.json`)
  writeFileSync(path, `${JSON.stringify({ machine: machine(), ...content }, null, 2)}\n`)
  return path
}
