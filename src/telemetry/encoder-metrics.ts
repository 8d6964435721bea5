import type { Registry } from 'prom-client'
import { CounterFamily, HistogramFamily, type CounterSeries, type HistogramSeries } from './families.ts'

/** From a text of three tokens on a quiet core to one of 256 on a busy one. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 1]
const TEXTS = [1, 2, 4, 8, 16]

/** What the encoder does; results are those of its reporter (`encoder/encoder-reporter.ts`). */
export class EncoderMetrics {
  readonly #requests: CounterFamily
  readonly #late: CounterSeries
  readonly #batch: HistogramSeries
  readonly #seconds: HistogramSeries
  readonly #restarts: CounterSeries

  constructor(registry: Registry) {
    this.#requests = new CounterFamily(
      'switchyard_encoder_requests_total',
      'Texts that were asked for, by result: known, joined, made, late, full, unavailable.',
      registry,
    )
    this.#late = new CounterFamily(
      'switchyard_encoder_deadline_misses_total',
      'Times that a decision was made without a vector, since there was none in time.',
      registry,
    ).labels({})
    this.#batch = new HistogramFamily(
      'switchyard_encoder_batch_texts',
      'Texts that went to the worker together.',
      TEXTS,
      registry,
    ).labels({})
    this.#seconds = new HistogramFamily(
      'switchyard_encoder_seconds',
      'Time in the worker per text.',
      SECONDS,
      registry,
    ).labels({})
    this.#restarts = new CounterFamily(
      'switchyard_encoder_restarts_total',
      'Times that the worker ended and was started again.',
      registry,
    ).labels({})
  }

  asked(result: string): void {
    this.#requests.labels({ result }).inc()
    if (result === 'late') this.#late.inc()
  }

  batch(texts: number): void {
    this.#batch.observe(texts)
  }

  computed(ms: number): void {
    this.#seconds.observe(ms / 1000)
  }

  restarted(): void {
    this.#restarts.inc()
  }
}
