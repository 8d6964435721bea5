/** An answer told once, to be spoken in whichever of OpenAI's APIs the gateway asks in (`tell.ts`). */
export interface ToldCall {
  readonly id: string
  readonly name: string
  /** The fragments in which its arguments come. */
  readonly args: readonly string[]
}
export interface Story {
  readonly think?: readonly string[]
  readonly say?: readonly string[]
  readonly refuse?: readonly string[]
  /** Fragments of several calls come in turns on chat, as engines send them. */
  readonly calls?: readonly ToldCall[]
  readonly finish?: 'stop' | 'length' | 'tool_calls' | 'content_filter'
  readonly cachedTokens?: number
  /**
   * What follows the content: by default its end. `cut` breaks the connection, `close` ends it without a word, `fail` sends an error
   * event, `hang` says nothing more.
   */
  readonly end?: 'cut' | 'close' | 'fail' | 'hang'
}

/** Of every answer told: 5 tokens in, 7 out. */
export const TOLD_TOKENS = { input: 5, output: 7 } as const
/** In the upstream's error events; callers must not see it. */
export const SECRET = 'sk-FAKE-upstream-0000'
