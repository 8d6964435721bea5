import { EXIT, UsageError, type Command, type Io } from './command.ts'
import { cache } from './cache.ts'
import { check } from './check.ts'
import { exportCommand } from './export.ts'
import { forget } from './forget.ts'
import { init } from './init.ts'
import { keys } from './keys.ts'
import { ledger } from './ledger.ts'
import { prices } from './prices.ts'
import { report } from './report.ts'
import { router } from './router.ts'
import { serve } from './serve.ts'
import { simulate } from './simulate.ts'
import { store } from './store.ts'
import { ConfigError, nearest } from '../config/problems.ts'
import { StoreProblem } from '../store/store-problem.ts'
import { StoreUnreachable } from '../store/store-unreachable.ts'
import { VERSION } from '../version.ts'

const COMMANDS: readonly Command[] = [
  serve,
  check,
  keys,
  prices,
  report,
  router,
  ledger,
  cache,
  exportCommand,
  forget,
  store,
  init,
  simulate,
]

/** Runs one command line and resolves with the exit code. Never throws. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const [first, ...rest] = args
  try {
    if (first === undefined || first.startsWith('-')) {
      if (first === '--version' || first === '-V') return say(io, VERSION)
      // Without a command the flags are those of serve, and --help means the whole program.
      if (args.includes('--help') || args.includes('-h')) return help(io)
      return await serve.run(args, io)
    }
    if (first === 'help') {
      return rest[0] === undefined ? help(io) : say(io, find(rest[0]).usage)
    }
    if (first === 'version') return say(io, VERSION)
    const command = find(first)
    if (rest.includes('--help') || rest.includes('-h')) return say(io, command.usage)
    return await command.run(rest, io)
  } catch (error) {
    if (error instanceof StoreUnreachable) {
      io.stderr.write(`${error.message}\n`)
      return EXIT.unavailable
    }
    if (error instanceof UsageError || error instanceof ConfigError || error instanceof StoreProblem) {
      io.stderr.write(`${error.message}\n`)
      return EXIT.usage
    }
    io.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    return EXIT.internal
  }
}

/** Throws UsageError with the nearest name. */
function find(name: string): Command {
  const command = COMMANDS.find((each) => each.name === name)
  if (command !== undefined) return command
  const names = [...COMMANDS.map((each) => each.name), 'help', 'version']
  const near = nearest(name, names)
  const hint = near === undefined ? '"switchyard help" lists them.' : `Did you mean "${near}"?`
  throw new UsageError(`There is no command "${name}". ${hint}`)
}

function help(io: Io): number {
  const list = COMMANDS.map((command) => `  ${command.name.padEnd(10)} ${command.summary}`).join('\n')
  return say(
    io,
    `switchyard ${VERSION}: one endpoint for agents, your GPUs behind it, and what everything cost\n\nswitchyard [command] [flags]\n\n${list}\n  version    print the version\n\n"switchyard COMMAND --help" explains one.`,
  )
}

function say(io: Io, text: string): number {
  io.stdout.write(`${text}\n`)
  return EXIT.ok
}
