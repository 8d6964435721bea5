/** What a command sees of the process: no command reads `process` itself, so that each is a function of its input. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdout: Output
  readonly stderr: Output
  /** Asks the person at the terminal; absent where there is none. */
  readonly ask?: (question: string) => Promise<string>
  /** All of the standard input; absent where there is none. */
  readonly stdin?: () => Promise<string>
  /** Calls `handler` for these signals until the returned function is called. */
  onSignal(handler: (signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP') => void): () => void
}

export interface Output {
  write(text: string): void
  /** True where a person looks: colours and progress are for them only. */
  readonly isTty: boolean
}

export interface Command {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** Text of `--help`. */
  readonly usage: string
  /** Resolves with the exit code. */
  run(args: readonly string[], io: Io): Promise<number>
}

/** Exit codes; 69 is EX_UNAVAILABLE of sysexits.h. */
export const EXIT = { ok: 0, internal: 1, usage: 2, unavailable: 69 } as const

/** A wrong command line or configuration: its message is all that the user needs to see. */
export class UsageError extends Error {}
