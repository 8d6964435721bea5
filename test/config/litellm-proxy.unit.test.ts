/** A LiteLLM proxy configuration as teams have it: what becomes of it, and what is said about the rest, line by line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { translateLiteLlm, type Translation } from '../../src/config/from-litellm.ts'
import { loadConfig } from '../../src/config/load.ts'

const NOW = new Date('2026-08-21')
const PROXY = `model_list:
  - model_name: gpt-4o
    litellm_params:
      model: azure/team-gpt-4o
      api_base: https://team.openai.azure.com/
      api_key: os.environ/AZURE_KEY
      api_version: "2024-10-21"
      input_cost_per_token: 0.0000025
      output_cost_per_token: 0.00001
    model_info: { base_model: azure/gpt-4o }
  - model_name: gpt-4o
    litellm_params: { model: gpt-4o, api_key: os.environ/OPENAI_KEY, timeout: 120, max_retries: 4 }
  - model_name: fast
    litellm_params: { model: groq/llama-3.3-70b-versatile, api_key: os.environ/GROQ_KEY }
  - model_name: local/qwen
    litellm_params: { model: hosted_vllm/Qwen/Qwen3-8B, api_base: "http://gpu-1:8000/v1", api_key: none }
  - model_name: local/qwen
    litellm_params: { model: hosted_vllm/Qwen/Qwen3-8B, api_base: "http://gpu-2:8000/v1", api_key: none, weight: 2 }
  - model_name: moving
    litellm_params: { model: openai/gpt-4o, api_base: os.environ/SOMEWHERE }
  - model_name: own
    litellm_params: { model: openai/our-own-model, api_base: "https://models.example.com/v1" }
  - model_name: sonnet
    litellm_params: { model: bedrock/anthropic.claude-sonnet-4, aws_region_name: eu-central-1 }
  - model_name: "*"
    litellm_params: { model: "openai/*" }
router_settings:
  routing_strategy: least-busy
  num_retries: 2
  fallbacks: [ { fast: [ gpt-4o ] }, { sonnet: [ gpt-4o ] } ]
general_settings:
  master_key: sk-fake-in-clear-text
environment_variables: { LANGFUSE_KEY: sk-fake-langfuse }
`

async function start({ yaml }: Translation, env: Record<string, string>): Promise<Config> {
  const cwd = mkdtempSync(join(tmpdir(), 'switchyard-litellm-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'switchyard.yaml'), yaml)
  return loadConfig({}, { cwd, env, now: () => NOW.getTime() })
}

const ENV = { AZURE_KEY: 'sk-fake-azure', OPENAI_KEY: 'sk-fake-openai', GROQ_KEY: 'sk-fake-groq' }
/** What the notes ask for: a price of the model that no book knows. */
const PRICED = PROXY.replace(
  'api_base: "https://models.example.com/v1"',
  'api_base: "https://models.example.com/v1", input_cost_per_token: 0.000001, output_cost_per_token: 0.000002',
)

test('the translated file starts once the one missing price is there', async () => {
  await expect(start(translateLiteLlm(PROXY, { now: NOW }), ENV)).rejects.toThrow('does not know our-own-model')
  const config = await start(translateLiteLlm(PRICED, { now: NOW }), ENV)

  const at = (name: string): unknown => config.upstreams.find((upstream) => upstream.name === name)
  expect(at('azure')).toMatchObject({
    kind: 'openai',
    replicas: ['https://team.openai.azure.com/openai/v1'],
    retries: 2,
  })
  expect(at('openai')).toMatchObject({ retries: 4, timeouts: { totalMs: 120_000 } })
  expect(at('groq')).toMatchObject({ replicas: ['https://api.groq.com/openai/v1'] })
  expect(at('hosted-vllm')).toMatchObject({ replicas: ['http://gpu-1:8000/v1', 'http://gpu-2:8000/v1'] })
  expect(config.targets.get('gpt-4o')).toMatchObject({
    model: 'team-gpt-4o',
    fallbacks: ['gpt-4o-2'],
    price: { inputPerM: 2_500_000_000, outputPerM: 10_000_000_000 },
  })
  expect(config.targets.get('fast')?.fallbacks).toEqual(['gpt-4o', 'gpt-4o-2'])
  expect(config.aliases).toEqual({ 'local/qwen': 'local-qwen' })
  expect(config.routes['auto']?.small).toEqual(['local-qwen'])
})

test.each([
  'line 10: model_list[0].model_info: no counterpart',
  'line 17: model_list[4]: weight and order have no counterpart',
  'line 19: model_list[5]: an address in a variable has no counterpart; write it out (moving)',
  'line 23: model_list[7]: provider bedrock is not supported yet (sonnet)',
  'line 25: model_list[8]: wildcard models have no counterpart',
  'line 28: router_settings.routing_strategy: no counterpart',
  'line 30: router_settings.fallbacks: sonnet -> gpt-4o: one of them was not translated',
  'line 32: general_settings.master_key: a key in clear text was not copied; put it into a variable and write env:NAME',
  'line 33: environment_variables: no counterpart',
  'models.own: the price book does not know our-own-model; add price to it',
])('it is said: %s', (sentence) => {
  const { notes, yaml } = translateLiteLlm(PROXY, { now: NOW })
  expect(notes.join('\n')).toContain(sentence)
  expect(yaml).toContain(sentence)
})

test('the notes stand in the order of the file, and no key in clear text is copied', () => {
  const { notes, yaml } = translateLiteLlm(PROXY, { now: NOW })
  const lines = notes.map((note) => Number(/^line (\d+)/.exec(note)?.[1] ?? Infinity))
  expect(lines).toEqual(lines.toSorted((a, b) => a - b))
  expect(notes.join() + yaml).not.toContain('sk-fake')
})

test.each(['- a list', 'text', ''])('%j is no configuration', (text) => {
  expect(() => translateLiteLlm(text, { now: NOW })).toThrow('it holds no settings.')
})
