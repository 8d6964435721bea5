import { execFile } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Unavailable } from './contender.ts'

/** Where installed peers are kept between runs; `npm ci` clears it with the rest of `node_modules`. */
export const peerCache: string = fileURLToPath(new URL('../../node_modules/.cache/switchyard-bench', import.meta.url))

/** Runs an installer, at most ten minutes. Its failure makes the contender unavailable, with the reason. */
export function install(command: string, args: readonly string[]): Promise<void> {
  mkdirSync(peerCache, { recursive: true })
  return new Promise((resolve, reject) => {
    execFile(command, args, { timeout: 600_000, maxBuffer: 16_777_216, cwd: peerCache }, (error, _out, stderr) => {
      if (error === null) resolve()
      else reject(new Unavailable(`${command} failed: ${lastLine(stderr) || error.message}`))
    })
  })
}

/** A Python environment with exactly these packages, wheels only (nothing of theirs runs while installing). */
export async function pythonEnvironment(
  folder: string,
  packages: readonly string[],
  command: string,
  note: (text: string) => void,
): Promise<string> {
  const program = `${folder}/bin/${command}`
  if (existsSync(program)) return program
  note(`installing ${packages.join(' ')} from PyPI`)
  await install('python3', ['-m', 'venv', folder])
  const flags = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:']
  await install(`${folder}/bin/pip`, ['install', ...flags, ...packages])
  if (!existsSync(program)) throw new Unavailable(`${packages.join(' ')} brought no program ${command}`)
  return program
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.slice(0, 300) ?? ''
}
