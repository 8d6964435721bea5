/** TGI's errors (router/src/infer/mod.rs, `InferError`): a sentence and its kind. */
const KINDS: Readonly<Record<number, string>> = {
  400: 'validation',
  422: 'validation',
  424: 'generation',
  429: 'overloaded',
  500: 'incomplete_generation',
  503: 'unhealthy',
}

export function errorBody(status: number, message: string, kind?: string): object {
  return { error: message, error_type: kind ?? KINDS[status] ?? 'generation' }
}

/** What a stream carries when the engine fails after it has begun. */
export const generationFailure: object = errorBody(424, 'Request failed during generation: Server error: CUDA error')
