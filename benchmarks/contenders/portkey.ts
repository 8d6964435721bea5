import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import type { Contender } from '../support/contender.ts'
import { install } from '../support/install.ts'
import { freePort, launch } from '../support/launch.ts'

const VERSION = '1.15.2'

/** Portkey's open-source gateway (TypeScript, Hono) from npm, headless; provider and address come by headers. */
export const portkey: Contender = withPackages({})

/** The same, with other versions of its own dependencies than npm chooses today (by name). */
export function withPackages(versions: Readonly<Record<string, string>>): Contender {
  const also = Object.entries(versions).map(([name, version]) => `${name}@${version}`)
  return {
    name: 'portkey',
    does: `@portkey-ai/gateway ${[VERSION, ...also].join(' with ')}, no keys, no budgets`,
    async start(ground) {
      const prefix = [`${ground.cache}/portkey-${VERSION}`, ...also.map((each) => each.replaceAll(/[^\w.]/g, ''))].join(
        '-',
      )
      const script = `${prefix}/node_modules/@portkey-ai/gateway/build/start-server.js`
      if (!existsSync(script)) {
        ground.note(`installing @portkey-ai/gateway ${VERSION} from npm`)
        mkdirSync(prefix, { recursive: true })
        writeFileSync(`${prefix}/package.json`, JSON.stringify({ private: true, overrides: versions }))
        // No install scripts: a benchmark must not run what a package brings along.
        const flags = ['--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--prefix', prefix]
        await install('npm', ['install', ...flags, `@portkey-ai/gateway@${VERSION}`])
      }
      const port = await freePort()
      const service = await launch({
        name: 'portkey',
        command: process.execPath,
        args: [script, '--headless', `--port=${port}`],
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
