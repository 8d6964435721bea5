import { pino, type DestinationStream, type Logger } from 'pino'
import type { FinishedRequest, Reporter } from '../gateway/steps.ts'
import { IsoClock } from './iso-clock.ts'
import { requestLine } from './request-line.ts'

/** Names that never appear in a line, should an object with them ever be logged. */
const SECRET_PATHS = [
  'authorization',
  '*.authorization',
  'apiKey',
  '*.apiKey',
  'x-api-key',
  '*["x-api-key"]',
  'cookie',
  '*.cookie',
]

/** One structured line per finished request, and lines for what happens to the process. Holds no prompt, answer or key. */
export class RequestLog implements Reporter {
  /** For what happens to the process; slower, with secrets redacted by name. */
  readonly logger: Logger
  readonly #stream: DestinationStream
  readonly #time = new IsoClock(Date.now)

  constructor(stream: DestinationStream) {
    this.#stream = stream
    this.logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: SECRET_PATHS }, stream)
  }

  finished(record: FinishedRequest): void {
    this.#stream.write(requestLine(record, this.#time.now()))
  }
}
