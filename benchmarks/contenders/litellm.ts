import { writeFileSync } from 'node:fs'
import type { Contender } from '../support/contender.ts'
import { pythonEnvironment } from '../support/install.ts'
import { freePort, launch } from '../support/launch.ts'

/** Pinned well away from 1.82.7 and 1.82.8, which carried stolen-credential malware (BerriAI/litellm#24512). */
const VERSION = '1.93.0'

/** LiteLLM's proxy (Python), one worker, no database, telemetry off, price map from its own package. */
export const litellm: Contender = {
  name: 'litellm',
  does: `litellm[proxy] ${VERSION}, one worker, no keys, no database`,
  async start(ground) {
    const folder = `${ground.cache}/litellm-${VERSION}`
    const program = await pythonEnvironment(folder, [`litellm[proxy]==${VERSION}`], 'litellm', ground.note)
    const config = `${ground.folder}/config.yaml`
    writeFileSync(
      config,
      `model_list:
  - model_name: auto
    litellm_params: { model: openai/mock-small, api_base: "${ground.mock.url}/v1", api_key: sk-test-benchmark }
litellm_settings: { telemetry: false, num_retries: 0 }
`,
    )
    const port = await freePort()
    const service = await launch({
      name: 'litellm',
      command: program,
      args: ['--config', config, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1'],
      env: { LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_LOG: 'ERROR', PYTHONUNBUFFERED: '1' },
      cwd: ground.folder,
      core: ground.core,
      ready: { url: `http://127.0.0.1:${port}/health/liveliness` },
      timeoutMs: 120_000,
      logFile: `${ground.folder}/output.log`,
    })
    return { name: 'litellm', service, url: `${service.url}/v1/chat/completions`, headers: {} }
  },
}
