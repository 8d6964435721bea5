/** A simulator of one flavour, and plain HTTP to it. */
import { onTestFinished } from 'vitest'
import { createSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/simulator.ts'

export interface SimulatedWire {
  readonly simulator: Simulator
  readonly url: string
  readonly post: (path: string, body: object, headers?: Readonly<Record<string, string>>) => Promise<Response>
}

export async function startWire(
  flavour: SimulatorOptions['flavour'],
  changes: Partial<SimulatorOptions> = {},
): Promise<SimulatedWire> {
  const options = { flavour, models: ['m'], speed: 0, isMarked: false, prices: { m: { inputPerM: 3, outputPerM: 15 } } }
  const simulator = createSimulator({ ...options, ...changes })
  const { url } = await simulator.listen(0)
  onTestFinished(() => simulator.close())
  const post = (path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  return { simulator, url, post }
}

/** A PNG's first bytes: enough to know its size. */
export function pngHead(width: number, height: number): string {
  const bytes = Buffer.alloc(33)
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])
  bytes.write('IHDR', 12, 'latin1')
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  return bytes.toString('base64')
}
