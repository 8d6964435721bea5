/** Runs one command line in this process, with everything that it sees of the process given. */
import { main } from '../../src/main.ts'

export interface CommandResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

export async function runCommand(
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<CommandResult> {
  let out = ''
  let err = ''
  const code = await main(args, {
    env,
    cwd,
    stdout: { write: (text) => void (out += text), isTty: false },
    stderr: { write: (text) => void (err += text), isTty: false },
    onSignal: () => () => {},
  })
  return { code, out, err }
}
