import type { z } from 'zod'
import { SwitchyardError } from '../shared/errors.ts'

/** Where an operation is found over HTTP, for whoever holds the admin key. */
export interface HttpRoute {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below `/v1/admin`; `:name` stands for the input of that name. */
  readonly path: string
}

/** Something that an operator can ask of the service: by its name on the control socket, by its route over HTTP, or in a command's own process. */
export interface Operation {
  /** As in `keys.create`. */
  readonly name: string
  readonly http: HttpRoute
  /** Checks the input and does it. Throws SwitchyardError. The result is plain JSON. */
  run(input: unknown): unknown
}

/** An operation whose input is checked by a schema before anything is done. */
export function operation<S extends z.ZodType>(
  name: string,
  http: HttpRoute,
  input: S,
  run: (input: z.output<S>) => unknown,
): Operation {
  return {
    name,
    http,
    run(raw) {
      const parsed = input.safeParse(raw)
      if (parsed.success) return run(parsed.data)
      const [issue] = parsed.error.issues
      const param = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path.join('.')
      throw new SwitchyardError(
        'invalid_value',
        `${param ?? 'input'}: ${issue?.message ?? 'it is wrong'}.`,
        param === undefined ? {} : { param },
      )
    },
  }
}

/** The operations of a service by name. */
export class Operations {
  readonly all: readonly Operation[]
  readonly #byName: ReadonlyMap<string, Operation>

  constructor(all: readonly Operation[]) {
    this.all = all
    this.#byName = new Map(all.map((each) => [each.name, each]))
  }

  /** Throws SwitchyardError: `not_found` for an unknown name, or what the operation throws. */
  async call(name: string, input: unknown): Promise<unknown> {
    const found = this.#byName.get(name)
    if (found === undefined) throw new SwitchyardError('not_found', `There is no operation "${name.slice(0, 64)}".`)
    return found.run(input)
  }
}
