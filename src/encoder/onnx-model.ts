/** The model itself, run by onnxruntime on one thread: two cost more processor time than they save waiting. */
import ort from 'onnxruntime-node'
import { DIMENSIONS } from './encoder.ts'

export interface TokenModel {
  /** A row of 384 numbers per token. */
  rows(ids: readonly number[]): Promise<Float32Array>
}

const OPTIONS: ort.InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  // Lengths vary, so that plans of memory for each would be kept: 37 MB more for nothing.
  enableMemPattern: false,
  logSeverityLevel: 3,
}

/**
 * Loads the weights. Texts are run one at a time: quantised activations share one scale per run, so that in a common run the vector of a
 * text would depend on the texts beside it (cosine 0.97 to 0.99), and on one thread a common run saves next to nothing.
 */
export async function loadOnnxModel(weightsPath: string): Promise<TokenModel> {
  const session = await ort.InferenceSession.create(weightsPath, OPTIONS)
  const tensor = (values: BigInt64Array): ort.Tensor => new ort.Tensor('int64', values, [1, values.length])
  return {
    async rows(ids) {
      const { last_hidden_state: output } = await session.run({
        input_ids: tensor(BigInt64Array.from(ids, BigInt)),
        attention_mask: tensor(new BigInt64Array(ids.length).fill(1n)),
        token_type_ids: tensor(new BigInt64Array(ids.length)),
      })
      const rows = output?.data
      if (!(rows instanceof Float32Array) || rows.length !== ids.length * DIMENSIONS)
        throw new Error('the model gave something else than a row of 384 numbers per token')
      return rows
    },
  }
}
