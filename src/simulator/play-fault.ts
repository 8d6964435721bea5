/** What a rule of the fault script does to an answer: before anything is generated, to what is generated, or in the middle of a stream. */
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SimChoice } from './compose.ts'
import type { FaultRule } from './faults.ts'
import { json } from './reply.ts'
import { tokenize } from './tokens.ts'
import { Refusal, type AnswerWriter, type Wire } from './wire.ts'

/** Plays a fault that comes before anything is generated; true = the request is answered with it. */
export async function refuseByFault(
  fault: FaultRule | undefined,
  wire: Wire,
  response: ServerResponse,
): Promise<boolean> {
  if (fault === undefined) return false
  const refuse = (refusal: Refusal, headers?: Readonly<Record<string, string>>): true => {
    json(response, refusal.status, wire.error(refusal), headers)
    return true
  }
  switch (fault.fault) {
    case 'delay':
      await sleep(fault.ms ?? 1000)
      return false
    case '429':
      return refuse(new Refusal(429, 'Rate limit reached.'), {
        'retry-after': String(Math.ceil((fault.ms ?? 1000) / 1000)),
      })
    case '500':
      return refuse(new Refusal(500, 'The server had an error.'))
    case '503':
      return refuse(new Refusal(503, 'The engine is overloaded.'))
    case 'overloaded':
      return refuse(wire.overloaded)
    case 'validation':
      return refuse(new Refusal(422, 'Input validation error: `inputs` must have less than 4095 tokens.', 'validation'))
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
    case 'end-early':
    case 'ping':
    case 'unknown-event':
    case 'refusal':
    case 'blocked-prompt':
    case 'safety':
      return false
    default:
      return fault.fault satisfies never
  }
}

/** What the provider's own safety makes of an answer. */
export function censored(choices: readonly SimChoice[], fault: FaultRule | undefined): readonly SimChoice[] {
  switch (fault?.fault) {
    case 'refusal':
      return choices.map(({ thinking }) => ({
        thinking,
        tokens: tokenize('I am sorry, but I cannot help with that.'),
        toolCalls: [],
        finish: 'refusal',
      }))
    case 'blocked-prompt':
      return []
    case 'safety':
      return choices.map(({ thinking, tokens }) => ({
        thinking,
        tokens: tokens.slice(0, fault.after ?? 1),
        toolCalls: [],
        finish: 'safety',
      }))
    default:
      return choices
  }
}

/** Plays a fault in the middle of a stream; true = nothing more is written. */
export function breakStream(fault: FaultRule, writer: AnswerWriter, response: ServerResponse): boolean {
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
      response.end(writer.failure())
      return true
    default:
      return false
  }
}
