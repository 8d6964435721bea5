import { Lines } from '../../../src/config/problems.ts'
import { configSchema, type FileConfig } from '../../../src/config/schema.ts'
import { resolveConfig } from '../../../src/config/resolve.ts'
import type { Target } from '../../../src/gateway/steps.ts'
import { EGRESSES, type Egress } from './egresses.ts'

/** Nobody asks these addresses: a configuration needs them. */
const REPLICAS = { replicas: ['http://127.0.0.1:8000'] }
const HOSTED = { apiKey: 'env:KEY' }

const FILE = configSchema.parse({
  upstreams: Object.fromEntries(
    EGRESSES.map(({ id, kind }) => [id, { kind, ...(kind === 'vllm' || kind === 'tgi' ? REPLICAS : HOSTED) }]),
  ),
  models: Object.fromEntries(
    EGRESSES.map(({ id, model, api, capabilities }) => [
      id,
      {
        upstream: id,
        model,
        contextTokens: 1_000_000,
        ...(api === undefined ? {} : { api }),
        ...(capabilities === undefined ? {} : { capabilities }),
      },
    ]),
  ),
}) as unknown as FileConfig

const { targets } = resolveConfig(FILE, {
  env: { KEY: 'not-a-key' },
  cwd: '.',
  file: undefined,
  lines: new Lines(),
  now: () => 0,
  hasMadeKeys: () => false,
})

/** The model of a column as a configuration has it, with what a model of its kind can do unless the operator says otherwise. */
export function targetOf({ id }: Egress): Target {
  const target = targets.get(id)
  if (target === undefined) throw new Error(`There is no model ${id}.`)
  return target
}
