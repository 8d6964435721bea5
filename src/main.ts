#!/usr/bin/env -S node --max-semi-space-size=16
/** The process: arguments, environment, signals and exit code. Everything else is told what it needs. */
import { enableCompileCache } from 'node:module'
import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import type { Io } from './cli/command.ts'

/**
 * Compiled code is kept beside the packages, which the user who installed them owns (the default, a folder in /tmp, is open to all).
 * It saves about a third of the start; where it cannot be written nothing is kept.
 */
const COMPILE_CACHE = fileURLToPath(new URL('../node_modules/.cache/switchyard', import.meta.url))

/** Runs one command line and resolves with the exit code. Never throws. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  // Loaded here and not above, so that the cache is on before anything is compiled.
  const { run } = await import('./cli/run.ts')
  return run(args, io)
}

function processIo(): Io {
  const output = (stream: NodeJS.WriteStream): Io['stdout'] => ({
    write: (text) => void stream.write(text),
    isTty: stream.isTTY,
  })
  // Whoever read our output may have gone; that is no reason to stop serving.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  return {
    env: process.env,
    cwd: process.cwd(),
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    ...(process.stdin.isTTY && process.stderr.isTTY ? { ask } : {}),
    stdin: () => text(process.stdin),
    onSignal(handler) {
      const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
      const bound = signals.map((signal) => [signal, (): void => handler(signal)] as const)
      for (const [signal, listener] of bound) process.on(signal, listener)
      return () => {
        for (const [signal, listener] of bound) process.off(signal, listener)
      }
    },
  }
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await terminal.question(question)
  } finally {
    terminal.close()
  }
}

if (import.meta.main && isMainThread) {
  enableCompileCache(COMPILE_CACHE)
  process.exitCode = await main(process.argv.slice(2), processIo())
}
