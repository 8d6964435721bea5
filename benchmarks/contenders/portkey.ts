import { existsSync } from 'node:fs'
import type { Contender } from '../support/contender.ts'
import { install } from '../support/install.ts'
import { freePort, launch } from '../support/launch.ts'

const VERSION = '1.15.2'
const MENDING = `const { fetch } = globalThis
globalThis.fetch = async (...request) => {
  const answer = await fetch(...request)
  return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers: answer.headers })
}`

/** Portkey's open-source gateway (TypeScript, Hono) from npm, headless; provider and address come by headers. */
export const portkey: Contender = started([])

/**
 * The same with a known defect worked round: on Node it appends headers to answers of `fetch`, which are immutable, and so answers every
 * stream with 500 (Portkey-AI/gateway#1389, #1550). Here `fetch` gives it answers that it may change.
 */
export const mendedPortkey: Contender = {
  ...started(['--import', `data:text/javascript,${encodeURIComponent(MENDING)}`]),
  does: `@portkey-ai/gateway ${VERSION}, no keys, no budgets, Portkey-AI/gateway#1389 worked round`,
}

function started(nodeArgs: readonly string[]): Contender {
  return {
    name: 'portkey',
    does: `@portkey-ai/gateway ${VERSION}, no keys, no budgets`,
    async start(ground) {
      const prefix = `${ground.cache}/portkey-${VERSION}`
      const script = `${prefix}/node_modules/@portkey-ai/gateway/build/start-server.js`
      if (!existsSync(script)) {
        ground.note(`installing @portkey-ai/gateway ${VERSION} from npm`)
        // No install scripts: a benchmark must not run what a package brings along.
        const flags = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--prefix', prefix]
        await install('npm', ['install', ...flags, `@portkey-ai/gateway@${VERSION}`])
      }
      const port = await freePort()
      const service = await launch({
        name: 'portkey',
        command: process.execPath,
        args: [...nodeArgs, script, '--headless', `--port=${port}`],
        core: ground.core,
        ready: { url: `http://127.0.0.1:${port}/` },
        timeoutMs: 30_000,
        logFile: `${ground.folder}/output.log`,
      })
      return {
        name: 'portkey',
        service,
        url: `${service.url}/v1/chat/completions`,
        headers: {
          authorization: 'Bearer sk-test-benchmark',
          'x-portkey-provider': 'openai',
          'x-portkey-custom-host': `${ground.mock.url}/v1`,
        },
      }
    },
  }
}
