import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import type { ConfigFlags } from '../config/load.ts'
import { nearest } from '../config/problems.ts'
import { UsageError } from './command.ts'

/** Flags of every command that reads the configuration. */
export const CONFIG_OPTIONS: ParseArgsOptionsConfig = {
  config: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  'data-dir': { type: 'string' },
  log: { type: 'string' },
  simulate: { type: 'boolean' },
  'no-detect': { type: 'boolean' },
}

export const CONFIG_FLAGS_HELP = `  --config FILE     configuration file (default: switchyard.yaml in the working directory, if there is one)
  --host ADDRESS    listening address (default 127.0.0.1)
  --port NUMBER     listening port, 0 = any free one (default 4000)
  --data-dir DIR    where state is kept (default ./data)
  --log TARGET      request log: stdout, off, or a file
  --simulate        use simulated models, whatever is configured or found
  --no-detect       do not look for engines on loopback
Each flag wins over its environment variable (SWITCHYARD_CONFIG, _HOST, _PORT, _DATA_DIR, _LOG, _SIMULATE=1, _DETECT=off), which wins over the file.`

/** The flags that `serve` and `check` share. Throws UsageError. */
export function parseConfigFlags(args: readonly string[]): ConfigFlags {
  return configFlagsOf(parseFlags(args, CONFIG_OPTIONS).values)
}

/** The flags that say how the configuration is read, out of a command's own. */
export function configFlagsOf(values: Readonly<Record<string, unknown>>): ConfigFlags {
  const text = (name: string): string | undefined => values[name] as string | undefined
  return {
    config: text('config'),
    host: text('host'),
    port: text('port'),
    dataDir: text('data-dir'),
    log: text('log'),
    simulate: values['simulate'] === true,
    noDetect: values['no-detect'] === true,
  }
}

/** `parseArgs` with sentences: an unknown flag suggests the nearest one. Throws UsageError. */
export function parseFlags(
  args: readonly string[],
  options: ParseArgsOptionsConfig,
  allowPositionals = false,
): { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, strict: true, allowPositionals })
    return { values, positionals }
  } catch (error) {
    const flag = /'(--?[\w-]+)/.exec(error instanceof Error ? error.message : '')?.[1] ?? ''
    const near = nearest(flag.replace(/^-+/, ''), [...Object.keys(options), 'help'])
    const isUnknown = error instanceof Error && 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
    if (isUnknown)
      throw new UsageError(`There is no flag ${flag}.${near === undefined ? '' : ` Did you mean --${near}?`}`)
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
