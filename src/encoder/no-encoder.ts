import { EncoderBusy, type Encoder } from './encoder.ts'

/** Stands where the encoder is switched off: everybody decides without it. */
export class NoEncoder implements Encoder {
  readonly state = 'off'
  readonly modelSha256 = undefined

  embed(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  peek(): undefined {
    return undefined
  }

  embedTokens(): Promise<undefined> {
    return Promise.resolve(undefined)
  }

  embedAll(): Promise<never> {
    return Promise.reject(new EncoderBusy(60_000))
  }

  load(): Promise<void> {
    return Promise.resolve()
  }

  close(): void {}
}
