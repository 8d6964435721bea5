import { createWriteStream, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { LineBuffer } from '../shared/line-buffer.ts'
import type { Io } from './command.ts'

export interface OpenLog {
  readonly target: { write(line: string): void } | undefined
  close(): Promise<void>
}

/** Lines that wait for a slow disk; beyond them lines are dropped, since a log must not fill the memory. */
const MAX_PENDING_BYTES = 8 * 1024 * 1024
const FLUSH_MS = 100
const FLUSH_BYTES = 64 * 1024

/**
 * Opens the request log: `stdout`, `off` or a file. Lines are written in batches. A full disk costs log lines, never an answer:
 * they are dropped, which is said once on stderr.
 */
export function openLog(where: string, io: Io): OpenLog {
  if (where === 'off') return { target: undefined, close: () => Promise.resolve() }
  const sink = where === 'stdout' ? stdoutSink(io) : fileSink(where, io)
  const batch = new LineBuffer(FLUSH_BYTES * 2, MAX_PENDING_BYTES)
  const flush = (): void => {
    if (batch.length === 0) return
    sink.write(Buffer.from(batch.view()))
    batch.clear()
  }
  const timer = setInterval(flush, FLUSH_MS)
  timer.unref()
  return {
    target: {
      write(line) {
        batch.add(line)
        if (batch.length >= FLUSH_BYTES) flush()
      },
    },
    async close() {
      clearInterval(timer)
      flush()
      await sink.close()
    },
  }
}

interface Sink {
  write(bytes: Buffer): void
  close(): Promise<void>
}

function stdoutSink(io: Io): Sink {
  return { write: (bytes) => io.stdout.write(bytes.toString()), close: () => Promise.resolve() }
}

function fileSink(path: string, io: Io): Sink {
  let hasProblem = false
  const problem = (error: Error): void => {
    if (!hasProblem) io.stderr.write(`the log ${path} cannot be written, its lines are dropped: ${error.message}\n`)
    hasProblem = true
  }
  let stream = open()
  function open(): ReturnType<typeof createWriteStream> {
    try {
      mkdirSync(dirname(path), { recursive: true })
    } catch (error) {
      problem(error as Error)
    }
    return createWriteStream(path, { flags: 'a', mode: 0o600 }).on('error', problem)
  }
  return {
    write(bytes) {
      if (stream.destroyed) stream = open()
      if (stream.writableLength > MAX_PENDING_BYTES) return
      stream.write(bytes, (error) => {
        if (!error && hasProblem) hasProblem = false
      })
    },
    close: () =>
      new Promise((resolve) => {
        if (stream.destroyed) resolve()
        else {
          stream.once('close', resolve)
          stream.end()
        }
      }),
  }
}
