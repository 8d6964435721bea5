import type { Fields } from './fields.ts'
import type { Told } from './told.ts'

/** A provider's side of its wire: what its server would send. */
export interface Speaker {
  whole(told: Told): Fields
  /** The same as the bytes of a stream. */
  stream(told: Told): string
  /** Its answer where it is overloaded, before anything is said. */
  readonly overloaded: { readonly status: number; readonly body: Fields }
  /** A stream that says half a text and then that the server failed. */
  readonly broken: string
}
