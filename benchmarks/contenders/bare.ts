import { fileURLToPath } from 'node:url'
import type { Contender } from '../support/contender.ts'
import { launch } from '../support/launch.ts'

/** A baseline of this folder: `bare-http.ts` or `bare-fastify.ts`, with or without parsing of stream events; `nodeArgs` are flags for Node itself. */
export function bare(file: 'bare-http' | 'bare-fastify', parse: boolean, nodeArgs: readonly string[] = []): Contender {
  const name = parse ? `${file}-parse` : file
  return {
    name,
    does: `${file === 'bare-http' ? 'node:http + undici dispatch' : 'fastify + undici request'}${parse ? ', parses every event' : ', relays bytes'}`,
    async start(ground) {
      const script = fileURLToPath(new URL(`../${file}.ts`, import.meta.url))
      const service = await launch({
        name,
        command: process.execPath,
        args: [...nodeArgs, script, '--upstream', ground.mock.url, ...(parse ? ['--parse'] : [])],
        core: ground.core,
        ready: /listening on (http:\S+)/,
        timeoutMs: 15_000,
        logFile: `${ground.folder}/output.log`,
      })
      return { name, service, url: `${service.url}/v1/chat/completions`, headers: {} }
    },
  }
}
