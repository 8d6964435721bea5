import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { translateLiteLlm } from '../../src/config/from-litellm.ts'
import { loadConfig } from '../../src/config/load.ts'

const LITELLM = `
model_list:
  - model_name: gpt-4o
    litellm_params: { model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY, rpm: 100 }
  - model_name: qwen
    litellm_params: { model: hosted_vllm/Qwen/Qwen3-8B, api_base: "http://10.0.0.1:8000/v1", input_cost_per_token: 0.00000005, output_cost_per_token: 0.0000002, cache_read_input_token_cost: 0.000000005 }
  - model_name: qwen
    litellm_params: { model: hosted_vllm/Qwen/Qwen3-8B, api_base: "http://10.0.0.2:8000/v1" }
  - model_name: claude
    litellm_params: { model: anthropic/claude-sonnet-4-5, api_key: os.environ/ANTHROPIC_API_KEY }
  - model_name: clear
    litellm_params: { model: openai/gpt-4o-mini, api_key: sk-fake-clear-text }
litellm_settings: { drop_params: true, success_callback: [langfuse], num_retries: 3 }
router_settings:
  fallbacks: [{ qwen: [gpt-4o] }]
  model_group_alias: { gpt-4: gpt-4o }
general_settings: { master_key: os.environ/MASTER_KEY, database_url: os.environ/DB }
`

test('a LiteLLM configuration becomes one that starts, with replicas, prices, fallbacks, keys and aliases', async () => {
  const { yaml, notes } = translateLiteLlm(LITELLM, { now: new Date('2026-08-21') })
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-litellm-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'switchyard.yaml'), yaml)

  const config = await loadConfig(
    {},
    {
      cwd,
      env: { OPENAI_API_KEY: 'sk-fake-openai', ANTHROPIC_API_KEY: 'sk-fake-anthropic', MASTER_KEY: 'sk-fake-master' },
    },
  )

  expect(config.upstreams.find((upstream) => upstream.kind === 'vllm')?.replicas).toEqual([
    'http://10.0.0.1:8000/v1',
    'http://10.0.0.2:8000/v1',
  ])
  expect(config.upstreams.find((upstream) => upstream.name === 'openai')).toMatchObject({ kind: 'openai', retries: 3 })
  expect(config.targets.get('qwen')).toMatchObject({
    model: 'Qwen/Qwen3-8B',
    fallbacks: ['gpt-4o'],
    price: { inputPerM: 50_000_000, outputPerM: 200_000_000, cachedInputPerM: 5_000_000 },
  })
  expect(config.aliases).toEqual({ 'gpt-4': 'gpt-4o' })
  expect(config.keys).toHaveLength(1)
  expect(config.upstreams.find((upstream) => upstream.name === 'anthropic')).toMatchObject({
    kind: 'anthropic',
    replicas: ['https://api.anthropic.com/v1'],
  })
  expect(config.targets.get('claude')).toMatchObject({
    kind: 'anthropic',
    model: 'claude-sonnet-4-5',
    tier: 'frontier',
  })
  expect(notes.join('\n')).toMatch(/rpm: no counterpart/)
  expect(notes.join('\n')).toMatch(/success_callback: no counterpart/)
  expect(notes.join('\n')).toMatch(/database_url: no counterpart/)
  expect(yaml).not.toContain('sk-fake-clear-text')
  expect(notes.join('\n')).toMatch(/a key in clear text was not copied/)
})

test('Gemini and TGI deployments become kinds google and tgi; without an address TGI is listed', () => {
  const { yaml, notes } = translateLiteLlm(
    `model_list:
  - { model_name: gem, litellm_params: { model: gemini/gemini-2.5-pro, api_key: os.environ/GEMINI_API_KEY } }
  - { model_name: own, litellm_params: { model: huggingface/mistralai/Mistral-7B, api_base: "http://10.0.0.1:3000/v1" } }
  - { model_name: lost, litellm_params: { model: huggingface/together/deepseek } }
`,
    { now: new Date('2026-08-21') },
  )
  const file = parse(yaml) as Record<string, unknown>
  expect(file['upstreams']).toEqual({
    gemini: { kind: 'google', apiKey: 'env:GEMINI_API_KEY' },
    huggingface: { kind: 'tgi', replicas: ['http://10.0.0.1:3000'] },
  })
  expect(file['models']).toMatchObject({
    gem: { upstream: 'gemini', model: 'gemini-2.5-pro' },
    own: { upstream: 'huggingface', model: 'mistralai/Mistral-7B' },
  })
  expect(file['routes']).toMatchObject({ auto: { small: ['own'], big: ['gem'] } })
  expect(notes.join('\n')).toMatch(/a TGI deployment without api_base \(lost\)/)
  expect(notes.join('\n')).not.toMatch(/models\.gem: the price book does not know/)
})

test('how long LiteLLM rests a deployment becomes the breaker', () => {
  const { yaml, notes } = translateLiteLlm(
    'model_list: [{ model_name: a, litellm_params: { model: openai/gpt-4o } }]\nrouter_settings: { allowed_fails: 2, cooldown_time: 30 }\n',
    { now: new Date('2026-08-21') },
  )
  expect(parse(yaml)).toMatchObject({ upstreams: { openai: { breaker: { failures: 3, openMs: 30_000 } } } })
  expect(notes.join('\n')).not.toMatch(/allowed_fails|cooldown_time/)
})
