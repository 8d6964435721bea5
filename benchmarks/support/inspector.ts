import type { CpuProfile } from './cpu-profile.ts'

/** A connection to the inspector of another Node process. */
export interface Inspector {
  /** Samples every `intervalUs` until the returned function is called, which hands over the profile. */
  profile(intervalUs: number): Promise<() => Promise<CpuProfile>>
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
    close: () => socket.close(),
  }
}
