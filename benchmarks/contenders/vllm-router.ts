import type { Contender } from '../support/contender.ts'
import { pythonEnvironment } from '../support/install.ts'
import { freePort, launch } from '../support/launch.ts'

const VERSION = '0.1.17'

/**
 * The Rust router of the vLLM project from PyPI: the reference of the ratios. `policy` is its own flag; left out, it runs
 * as its makers ship it (`cache_aware`, which keeps a prefix tree of all prompts).
 */
export function vllmRouter(policy?: string): Contender {
  const name = policy === undefined ? 'vllm-router' : `vllm-router-${policy}`
  return {
    name,
    does: `Rust, ${VERSION}, policy ${policy ?? 'as shipped'}, parses nothing of the answer`,
    async start(ground) {
      const folder = `${ground.cache}/vllm-router-${VERSION}`
      const program = await pythonEnvironment(folder, [`vllm-router==${VERSION}`], 'vllm-router', ground.note)
      const [port, metricsPort] = [await freePort(), await freePort()]
      const service = await launch({
        name,
        command: program,
        args: [
          `--worker-urls=${ground.mock.url}`,
          '--host=127.0.0.1',
          `--port=${port}`,
          '--prometheus-host=127.0.0.1',
          `--prometheus-port=${metricsPort}`,
          ...(policy === undefined ? [] : ['--policy', policy]),
        ],
        cwd: ground.folder,
        core: ground.core,
        ready: { url: `http://127.0.0.1:${port}/health` },
        timeoutMs: 60_000,
        logFile: `${ground.folder}/output.log`,
      })
      return { name, service, url: `${service.url}/v1/chat/completions`, headers: {} }
    },
  }
}
