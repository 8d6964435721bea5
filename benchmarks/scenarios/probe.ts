/**
 * Worker thread that asks a gateway's `/healthz` every few milliseconds and keeps the answer times. A gateway whose event
 * loop is stuck answers late; a thread of its own keeps the load generator's pauses out of the figure.
 */
import { Agent, get } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'

const { url, everyMs } = workerData as { url: string; everyMs: number }
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
let times: number[] = []
let waiting = false

function ask(): void {
  if (waiting) return
  waiting = true
  const started = performance.now()
  const done = (): void => {
    times.push(performance.now() - started)
    waiting = false
  }
  get(`${url}/healthz`, { agent, timeout: 10_000 }, (answer) => answer.resume().once('end', done)).once('error', done)
}
const timer = setInterval(ask, everyMs)

/** `take` hands over what was measured since the last time; `stop` ends the thread. */
parentPort?.on('message', (message: 'take' | 'stop') => {
  if (message === 'take') {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
    parentPort?.postMessage(times)
    times = []
    return
  }
  clearInterval(timer)
  agent.destroy()
  parentPort?.close()
})
