import { copyFileSync, cpSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { checkModelFolder, readModelFiles } from '../../src/encoder/model-files.ts'

const SHIPPED = fileURLToPath(new URL('../../router-models/minilm-l6', import.meta.url))

function copyOfModel(): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-model-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  cpSync(SHIPPED, dir, { recursive: true })
  return dir
}

test('the model that ships is what its manifest says', () => {
  expect(checkModelFolder(SHIPPED).dimensions).toBe(384)
  expect(readModelFiles(SHIPPED).weightsSha256).toMatch(/^6eade498/)
})

test.each<[string, (dir: string) => void, RegExp, 'size' | 'hash']>([
  ['no weights', (dir) => rmSync(join(dir, 'onnx/model_quantized.onnx')), /onnx is missing$/, 'size'],
  ['cut weights', (dir) => truncateSync(join(dir, 'onnx/model_quantized.onnx'), 1000), /1000 bytes instead of/, 'size'],
  [
    'other weights',
    (dir) => swap(join(dir, 'onnx/model_quantized.onnx'), 23_420_796),
    /has SHA-256 .* says 6eade/,
    'hash',
  ],
  ['another vocabulary', (dir) => swap(join(dir, 'tokenizer.json'), 466_247), /tokenizer.json has SHA-256/, 'hash'],
  ['no manifest', (dir) => rmSync(join(dir, 'manifest.json')), /manifest.json is missing/, 'size'],
  ['a manifest that is no JSON', (dir) => writeFileSync(join(dir, 'manifest.json'), '{'), /is no JSON/, 'size'],
  [
    'the manifest of something else',
    (dir) => copyFileSync(join(dir, 'config.json'), join(dir, 'manifest.json')),
    /manifest.json is wrong at/,
    'size',
  ],
])('%s: found, and said which file', (_name, damage, sentence, by) => {
  const dir = copyOfModel()
  damage(dir)
  expect(() => readModelFiles(dir)).toThrow(sentence)
  if (by === 'size') expect(() => checkModelFolder(dir)).toThrow(sentence)
  else expect(() => checkModelFolder(dir)).not.toThrow()
})

function swap(path: string, bytes: number): void {
  writeFileSync(path, Buffer.alloc(bytes, 7))
}
