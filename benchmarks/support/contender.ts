import type { Api } from './bodies.ts'
import type { Service } from './launch.ts'

/** What a contender gets to start with. */
export interface Ground {
  /** The upstream to put behind it. */
  readonly mock: { readonly url: string }
  /** Core to run on; undefined where the machine cannot pin. */
  readonly core: number | undefined
  /** Empty folder of its own. */
  readonly folder: string
  /** Folder that survives the run, for what is installed from a registry. */
  readonly cache: string
  readonly note: (text: string) => void
}
/** A gateway that is up and may be shot at. */
export interface Running {
  readonly name: string
  readonly service: Service
  /** Full address of its chat endpoint. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** The API that it is spoken to in; OpenAI's chat if left out. */
  readonly api?: Api
}
export interface Contender {
  readonly name: string
  /** What it does with a request, in a few words, for the reader of the table. */
  readonly does: string
  /** Throws `Unavailable` when it cannot run here. */
  start(ground: Ground): Promise<Running>
}

/** A contender cannot run on this machine; the message is the reason, printed beside the table. */
export class Unavailable extends Error {}
