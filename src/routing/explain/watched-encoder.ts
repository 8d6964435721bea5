import type { RoutingEncoder } from '../assessment.ts'

/** An encoder that keeps the last vector it gave: what a decision was made with. */
export class WatchedEncoder implements RoutingEncoder {
  readonly #encoder: RoutingEncoder
  vector: Float32Array | undefined

  constructor(encoder: RoutingEncoder) {
    this.#encoder = encoder
  }

  get state(): RoutingEncoder['state'] {
    return this.#encoder.state
  }

  async embed(...question: Parameters<RoutingEncoder['embed']>): Promise<Float32Array | undefined> {
    this.vector = await this.#encoder.embed(...question)
    return this.vector
  }

  load(): Promise<void> {
    return this.#encoder.load()
  }
}
