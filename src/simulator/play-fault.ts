/** What a rule of the fault script does to an answer: before anything is generated, or in the middle of a stream. */
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultRule } from './faults.ts'
import { json } from './reply.ts'
import { errorBody, type Flavour } from './wire.ts'

/** Plays a fault that comes before anything is generated; true = the request is answered with it. */
export async function refuseByFault(
  fault: FaultRule | undefined,
  flavour: Flavour,
  response: ServerResponse,
): Promise<boolean> {
  if (fault === undefined) return false
  switch (fault.fault) {
    case 'delay':
      await sleep(fault.ms ?? 1000)
      return false
    case '429':
      json(response, 429, errorBody(flavour, 429, 'Rate limit reached.'), {
        'retry-after': String(Math.ceil((fault.ms ?? 1000) / 1000)),
      })
      return true
    case '500':
      json(response, 500, errorBody(flavour, 500, 'The server had an error.'))
      return true
    case '503':
      json(response, 503, errorBody(flavour, 503, 'The engine is overloaded.'))
      return true
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>502 Bad Gateway</body></html>')
      return true
    case 'close':
      response.destroy()
      return true
    case 'cut':
    case 'reset':
    case 'stall':
    case 'garbage':
    case 'error-event':
    case 'split':
    case 'no-usage':
    case 'wrong-usage':
      return false
    default:
      return fault.fault satisfies never
  }
}

/** Plays a fault in the middle of a stream; true = nothing more is written. */
export function breakStream(fault: FaultRule, response: ServerResponse): boolean {
  switch (fault.fault) {
    case 'cut':
      response.destroy()
      return true
    case 'reset':
      response.socket?.resetAndDestroy()
      return true
    case 'stall':
      return true
    case 'garbage':
      response.end('data: {oops\n\n')
      return true
    case 'error-event':
      response.end(
        `data: ${JSON.stringify({ error: { message: 'The engine failed.', type: 'server_error', param: null, code: 500 } })}\n\ndata: [DONE]\n\n`,
      )
      return true
    default:
      return false
  }
}
