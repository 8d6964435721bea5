import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'

/** Reads the command line of a script; prints its help and ends with 0, or names a wrong flag and ends with 2. Arguments without a flag are `positionals`. */
export function readOptions<const Options extends ParseArgsOptionsConfig>(
  help: string,
  options: Options,
): {
  readonly values: ReturnType<typeof parseArgs<{ options: Options; allowPositionals: true }>>['values']
  readonly positionals: readonly string[]
} {
  if (process.argv.includes('--help') || process.argv.includes('-h')) {
    console.log(help)
    return process.exit(0)
  }
  try {
    return parseArgs({ options, allowPositionals: true })
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    return process.exit(2)
  }
}
