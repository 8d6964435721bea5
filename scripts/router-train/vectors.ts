/** The encoder's vectors of training texts, kept in a git-ignored folder: 25,000 texts take some ten minutes. */
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { meanVector } from '../../src/encoder/mean-vector.ts'
import { loadOnnxModel } from '../../src/encoder/onnx-model.ts'
import { readableText } from '../../src/encoder/readable-text.ts'
import { createTokeniser } from '../../src/encoder/text-tokens.ts'
import { ENCODER_DIMENSIONS } from '../../src/routing/head-file.ts'

/** What routing reads of a text: the time of a text grows with its tokens. */
const ROUTING_TOKENS = 48
const MODEL = new URL('../../router-models/minilm-l6/', import.meta.url)
const CACHE = new URL('../../benchmarks/results/vectors/', import.meta.url)

/** One vector per text, as the service would make it for routing. */
export async function vectorsOf(
  texts: readonly string[],
  progress: (done: number, of: number) => void,
): Promise<Float32Array[]> {
  mkdirSync(CACHE, { recursive: true })
  const [keysFile, vectorsFile] = [new URL('keys.txt', CACHE), new URL('vectors.bin', CACHE)]
  const known = new Map<string, Float32Array>()
  if (existsSync(keysFile)) {
    const bytes = readFileSync(vectorsFile)
    const all = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
    for (const [i, key] of readFileSync(keysFile, 'utf8').split('\n').entries()) {
      if (key !== '') known.set(key, all.subarray(i * ENCODER_DIMENSIONS, (i + 1) * ENCODER_DIMENSIONS))
    }
  }
  const keyOf = (text: string): string => createHash('sha256').update(text.toWellFormed()).digest('hex')
  const missing = [...new Map(texts.map((text) => [keyOf(text), text]))].filter(([key]) => !known.has(key))
  if (missing.length > 0) {
    const file = (name: string): string => readFileSync(new URL(name, MODEL), 'utf8')
    const tokenise = createTokeniser(file('tokenizer.json'), file('tokenizer_config.json'))
    const model = await loadOnnxModel(fileURLToPath(new URL('onnx/model_quantized.onnx', MODEL)))
    for (const [done, [key, text]] of missing.entries()) {
      const { ids } = tokenise(readableText(text, ROUTING_TOKENS).text, ROUTING_TOKENS)
      const vector = meanVector(await model.rows(ids), ENCODER_DIMENSIONS)
      appendFileSync(vectorsFile, Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength))
      appendFileSync(keysFile, `${key}\n`)
      known.set(key, vector)
      if (done % 50 === 0) progress(done, missing.length)
    }
  }
  return texts.map((text) => known.get(keyOf(text)) as Float32Array)
}
