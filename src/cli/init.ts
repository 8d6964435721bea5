import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { translateLiteLlm, type Translation } from '../config/from-litellm.ts'
import { EXIT, UsageError, type Command } from './command.ts'
import { parseFlags } from './config-flags.ts'

export const init: Command = {
  name: 'init',
  summary: 'write a commented example configuration, or translate a LiteLLM one',
  usage: `switchyard init [--from litellm.yaml] [--out FILE] [--force]

Writes switchyard.yaml: an example with comments, or what a LiteLLM proxy configuration says in our words. What could not be
translated is listed, and stands as comments at the end of the file.

  --from FILE   a LiteLLM config.yaml
  --out FILE    where to write (default switchyard.yaml)
  --force       overwrite`,
  run(args, io) {
    const { values } = parseFlags(args, {
      from: { type: 'string' },
      out: { type: 'string', default: 'switchyard.yaml' },
      force: { type: 'boolean' },
    })
    const out = resolve(io.cwd, String(values['out']))
    if (existsSync(out) && values['force'] !== true)
      throw new UsageError(`${out} exists already. Use --force to overwrite it, or --out for another place.`)
    if (values['from'] === undefined) {
      write(out, EXAMPLE)
      io.stdout.write(`wrote ${out}\n"switchyard check" shows what it means.\n`)
      return Promise.resolve(EXIT.ok)
    }
    const from = resolve(io.cwd, String(values['from']))
    if (!existsSync(from)) throw new UsageError(`There is no file ${from}.`)
    const { yaml, notes } = translate(from)
    write(out, yaml)
    io.stdout.write(`wrote ${out}\n`)
    if (notes.length === 0) io.stdout.write('everything was translated\n')
    else io.stdout.write(`not translated:\n${notes.map((note) => `  ${note}`).join('\n')}\n`)
    io.stdout.write('"switchyard check" shows what it means.\n')
    return Promise.resolve(EXIT.ok)
  },
}

/** Throws UsageError where the place cannot be written. */
function write(out: string, text: string): void {
  try {
    writeFileSync(out, text)
  } catch (error) {
    throw new UsageError(`${out} cannot be written: ${error instanceof Error ? error.message : String(error)}.`)
  }
}

/** Throws UsageError where the file cannot be read or is no YAML. */
function translate(from: string): Translation {
  try {
    return translateLiteLlm(readFileSync(from, 'utf8'), { now: new Date() })
  } catch (error) {
    const [reason] = error instanceof Error ? error.message.split('\n') : [String(error)]
    throw new UsageError(`${from} cannot be translated: ${reason} Is it the config.yaml of a LiteLLM proxy?`)
  }
}

const EXAMPLE = `# Switchyard configuration. "switchyard check" prints what is in force; docs/configuration.md explains every setting.
# Secrets are never written here: env:NAME reads a variable, file:PATH a file.

server:
  host: 127.0.0.1          # without keys only a loopback address is allowed
  port: 4000
  # adminKey: env:SWITCHYARD_ADMIN_KEY
dataDir: ./data

# Where models run.
upstreams:
  gpu:                     # your own vLLM servers, as roots
    kind: vllm
    replicas: ["http://127.0.0.1:8000"]
  # openai:                # OpenAI, or anything that speaks it (baseUrl ends in /v1)
  #   kind: openai
  #   apiKey: env:OPENAI_API_KEY
  #   timeouts: { connectMs: 3000, firstByteMs: 60000, idleMs: 60000, totalMs: 900000 }
  #   retries: 2
  #   breaker: { failures: 5, openMs: 10000 }

# The names that callers use. Prices are dollars per million tokens; hosted models have theirs from the built-in price book.
models:
  qwen-small: { upstream: gpu, model: Qwen/Qwen3-8B, tier: local, contextTokens: 32768, price: { inputPerM: 0.05, outputPerM: 0.20 } }
  # gpt-big: { upstream: openai, model: gpt-5.1, tier: frontier }

# model: auto goes to the small or the big side.
routes:
  auto: { small: [qwen-small], big: [qwen-small], targetBigShare: 0.3 }   # big: [gpt-big]

# Names that agents already send.
aliases: { "claude-haiku-*": auto }

# Who may call. Without keys everybody on this machine may, web pages may not. "switchyard keys create" makes keys without this file.
# keys:
#   - { name: ci, key: env:CI_KEY, tenant: acme, requestsPerMinute: 600, models: [auto, qwen-small] }

telemetry: { log: stdout }  # stdout, off, or a file
`
