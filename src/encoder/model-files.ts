/**
 * The folder of an encoder: the files that `manifest.json` lists with their size and SHA-256. A cut, swapped or edited file is found before
 * it answers anything.
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const WEIGHTS = 'onnx/model_quantized.onnx'
const PIECE_BYTES = 1024 * 1024
const NEEDED = [WEIGHTS, 'tokenizer.json', 'tokenizer_config.json'] as const

interface Manifest {
  readonly format: 'switchyard-encoder-1'
  readonly name: string
  readonly dimensions: 384
  readonly origin: string
  readonly licence: string
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>
}

const manifestSchema: z.ZodType<Manifest> = z.strictObject({
  format: z.literal('switchyard-encoder-1'),
  name: z.string(),
  dimensions: z.literal(384),
  origin: z.string(),
  licence: z.string(),
  files: z.record(z.string(), z.strictObject({ bytes: z.number().int().min(0), sha256: z.string() })),
})

export interface ModelFiles {
  readonly weightsPath: string
  readonly weightsSha256: string
  readonly tokenizerJson: string
  readonly tokenizerConfigJson: string
}

/** Throws Error with one sentence unless every file is there with its size; reads none but the manifest. */
export function checkModelFolder(folder: string): Manifest {
  const manifest = readManifest(folder)
  for (const [name, { bytes }] of Object.entries(manifest.files)) {
    const size = statSync(join(folder, name), { throwIfNoEntry: false })?.size
    if (size === undefined) throw new Error(`${join(folder, name)} is missing`)
    if (size !== bytes) throw new Error(`${join(folder, name)} has ${size} bytes instead of ${bytes}`)
  }
  return manifest
}

/**
 * Checks every file and reads the small ones; onnxruntime reads the weights itself, which saves their size in memory.
 * Throws Error with one sentence where a file is missing or its SHA-256 is not the manifest's.
 */
export function readModelFiles(folder: string): ModelFiles {
  const { files } = checkModelFolder(folder)
  for (const [name, { sha256 }] of Object.entries(files)) {
    const found = sha256Of(join(folder, name))
    if (found !== sha256) throw new Error(`${join(folder, name)} has SHA-256 ${found}, but the manifest says ${sha256}`)
  }
  return {
    weightsPath: join(folder, WEIGHTS),
    weightsSha256: (files[WEIGHTS] as { readonly sha256: string }).sha256,
    tokenizerJson: readFileSync(join(folder, 'tokenizer.json'), 'utf8'),
    tokenizerConfigJson: readFileSync(join(folder, 'tokenizer_config.json'), 'utf8'),
  }
}

function sha256Of(path: string): string {
  const hash = createHash('sha256')
  const piece = Buffer.alloc(PIECE_BYTES)
  const file = openSync(path, 'r')
  try {
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) hash.update(piece.subarray(0, read))
  } finally {
    closeSync(file)
  }
  return hash.digest('hex')
}

function readManifest(folder: string): Manifest {
  const path = join(folder, 'manifest.json')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`${path} is missing`, { cause })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Error(`${path} is no JSON`, { cause })
  }
  const parsed = manifestSchema.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new Error(`${path} is wrong at ${issue?.path.join('.') ?? '?'}: ${issue?.message ?? '?'}`)
  }
  for (const name of NEEDED) if (parsed.data.files[name] === undefined) throw new Error(`${path} does not list ${name}`)
  return parsed.data
}
