import { readFileSync } from 'node:fs'
import type { CpuProfile } from './cpu-profile.ts'

/** A connection to the inspector of another Node process. */
export interface Inspector {
  /** Samples every `intervalUs` until the returned function is called, which hands over the profile. */
  profile(intervalUs: number): Promise<() => Promise<CpuProfile>>
  /** Heap and buffers in use after a full collection, MiB. */
  liveMiB(): Promise<number>
  close(): void
}

/** Connects to `ws://…`, the address that `node --inspect` prints. */
export async function connectInspector(address: string): Promise<Inspector> {
  const socket = new WebSocket(address)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${address}`)), { once: true })
  })
  const waiting = new Map<number, (result: unknown) => void>()
  socket.addEventListener('message', (message) => {
    const { id, result } = JSON.parse(String(message.data)) as { id?: number; result?: unknown }
    if (id === undefined) return
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  let sent = 0
  const call = (method: string, params: object = {}): Promise<unknown> => {
    const id = ++sent
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the inspector did not answer ${method}`)), 30_000)
      waiting.set(id, (result) => {
        clearTimeout(timer)
        resolve(result)
      })
      socket.send(JSON.stringify({ id, method, params }))
    })
  }
  return {
    async profile(intervalUs) {
      await call('Profiler.enable')
      await call('Profiler.setSamplingInterval', { interval: intervalUs })
      await call('Profiler.start')
      return async () => ((await call('Profiler.stop')) as { profile: CpuProfile }).profile
    },
    async liveMiB() {
      await call('HeapProfiler.enable')
      // The first collection runs finalisers, the second takes what they let go.
      await call('HeapProfiler.collectGarbage')
      await call('HeapProfiler.collectGarbage')
      const usage = (await call('Runtime.getHeapUsage')) as { usedSize: number; backingStorageSize?: number }
      return (usage.usedSize + (usage.backingStorageSize ?? 0)) / 1_048_576
    },
    close: () => socket.close(),
  }
}

/** Finds the address that `node --inspect` printed before the program started. */
export async function inspectorAddress(logFile: string): Promise<string> {
  for (let tries = 0; tries < 50; tries++) {
    const found = /Debugger listening on (ws:\S+)/.exec(readFileSync(logFile, 'utf8'))?.[1]
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the process did not print the address of its inspector')
}
