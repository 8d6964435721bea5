/**
 * `npm run intent:train`: trains the built-in intents from `router-models/intents/examples.yaml` and writes `builtin.{bin,json}` beside it and
 * the card `router-models/intents.md`. The same examples give the same weights, byte for byte.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { encodeBuiltIn } from '../src/routing/intent/built-in-file.ts'
import { BuiltInIntents } from '../src/routing/intent/built-in-intents.ts'
import { EXAMPLE_FILE, partsOf, readExamples, type IntentExample } from './intent-train/example-file.ts'
import { intentCard, type IntentFigures } from './intent-train/intent-card.ts'
import { vectorsOf } from './router-train/vectors.ts'
import { readOptions } from './support/read-options.ts'

const MODELS = new URL('../router-models/', import.meta.url)
const FOLDS = 5

readOptions(
  'npm run intent:train: trains the built-in intents and writes router-models/intents/builtin.{bin,json} and intents.md.',
  {},
)
const examples = readExamples()
const vectors = await vectorsOf(
  examples.map(({ features }) => features.text),
  () => {},
)
const manifest = JSON.parse(readFileSync(new URL('minilm-l6/manifest.json', MODELS), 'utf8')) as {
  readonly files: Readonly<Record<string, { readonly sha256: string }>>
}
const encoderSha256 = manifest.files['onnx/model_quantized.onnx']?.sha256 ?? ''
const files = encodeBuiltIn(partsOf(examples, vectors), encoderSha256)
writeFileSync(new URL('intents/builtin.bin', MODELS), files.bin)
writeFileSync(new URL('intents/builtin.json', MODELS), files.json)
const sources = { examples: sha256(readFileSync(EXAMPLE_FILE)), bin: sha256(files.bin), encoder: encoderSha256 }
writeFileSync(new URL('intents.md', MODELS), intentCard(crossValidated(examples, vectors), sources))
console.log(`router-models/intents/builtin.bin: ${files.bin.length} bytes, SHA-256 ${sources.bin}`)

/** Every fifth sentence of an intent is judged by a model of the others. */
function crossValidated(all: readonly IntentExample[], known: readonly Float32Array[]): IntentFigures[] {
  return Array.from({ length: FOLDS }, (_, fold) => {
    const kept = [...all.keys()].filter((i) => i % FOLDS !== fold)
    const model = new BuiltInIntents(
      partsOf(
        kept.map((i) => all[i] as IntentExample),
        kept.map((i) => known[i] as Float32Array),
      ),
    )
    return [...all.keys()]
      .filter((i) => i % FOLDS === fold)
      .map((i): IntentFigures => {
        const { intent, features } = all[i] as IntentExample
        const vector = known[i] as Float32Array
        return {
          intent,
          plain: model.likeliest(features),
          encoded: model.likeliest(features, vector),
          isPlainOther: model.read(features).isOutOfScope,
          isEncodedOther: model.read(features, vector).isOutOfScope,
        }
      })
  }).flat()
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
