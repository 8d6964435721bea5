import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Job, WorkerMessage } from './jobs.ts'

/** A running worker as its owner sees it. */
export interface WorkerPort {
  readonly pid: number | undefined
  send(jobs: readonly Job[]): void
  /** Whether our own process stays alive for it. */
  hold(isHeld: boolean): void
  kill(): void
}

export interface WorkerListener {
  readonly message: (message: WorkerMessage) => void
  /** Once, when the worker has ended for whatever reason. */
  readonly exit: (detail: string) => void
}

export type StartWorker = (listener: WorkerListener) => WorkerPort

/** The vocabulary takes about 30 MB; the model's own memory is not counted here. */
const FLAGS = ['--max-old-space-size=128', '--max-semi-space-size=2', '--disable-warning=ExperimentalWarning']
const ENTRY = fileURLToPath(new URL('./encoder-worker.ts', import.meta.url))
/** Of what it wrote to stderr, the end is told. */
const STDERR_CHARS = 300

/**
 * Starts workers for the model in a folder: processes, and not threads, since onnxruntime aborts the whole process where its thread ends
 * in the middle of a run. They see nothing of our environment.
 */
export function startWorkerOf(folder: string): StartWorker {
  return ({ message, exit }) => {
    const child = fork(ENTRY, [folder], {
      env: {},
      execArgv: FLAGS,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let said = ''
    let hasEnded = false
    const end = (detail: string): void => {
      if (hasEnded) return
      hasEnded = true
      exit(said === '' ? detail : `${detail}: ${said.trim()}`)
    }
    child.stderr?.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-STDERR_CHARS)))
    child.on('message', (received) => message(withOwnMemory(received as WorkerMessage)))
    child.on('error', (error) => end(String(error)))
    child.on('exit', (code, signal) => end(signal ?? `exit code ${code}`))
    const hold = (isHeld: boolean): void => {
      for (const each of [child, child.channel, child.stderr as unknown as Pick<typeof child, 'ref' | 'unref'> | null])
        if (isHeld) each?.ref()
        else each?.unref()
    }
    return {
      pid: child.pid,
      send: (jobs) => {
        if (child.connected) child.send([...jobs])
      },
      hold,
      kill: () => child.kill('SIGKILL'),
    }
  }
}

/** Numbers arrive as a window on what was read from the pipe; kept as such they would keep all of that. */
function withOwnMemory(message: WorkerMessage): WorkerMessage {
  if (message.kind !== 'done') return message
  const { tokenVectors, ...rest } = message
  const own = { ...rest, vector: message.vector.slice() }
  return tokenVectors === undefined ? own : { ...own, tokenVectors: tokenVectors.slice() }
}
