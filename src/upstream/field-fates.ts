import type { Fate } from '../protocol/openai-chat/fields.ts'
import { SwitchyardError } from '../shared/errors.ts'

/** What becomes of one field of a chat request at a provider; `docs/compatibility.md` is printed from it. */
export interface FieldRow {
  readonly field: string
  readonly fate: Fate
  readonly note?: string
}

/** Makes the refusal of a field; `why` is a whole sentence about the fix. */
export type Unsupported = (param: string, why?: string) => SwitchyardError

/** `who` is the subject of the sentence: "The TGI server that this request went to". */
export function unsupportedBy(who: string): Unsupported {
  return (param, why) =>
    new SwitchyardError(
      'unsupported_parameter',
      `${who} does not support '${param}'.${why === undefined ? '' : ` ${why}`}`,
      { param },
    )
}

/** Throws for a given field that is refused and notes one that is dropped. Gives those that go on as they are; what is translated is somebody else's work. */
export type ObeyFields = (names: readonly string[], dropped: Set<string>) => readonly string[]

/** A provider's table as what its encoder obeys; a field without a row is refused. */
export function obeying(rows: readonly Pick<FieldRow, 'field' | 'fate'>[], unsupported: Unsupported): ObeyFields {
  const fates: ReadonlyMap<string, Fate> = new Map(rows.map(({ field, fate }) => [field, fate]))
  return (names, dropped) =>
    names.filter((name) => {
      const fate = fates.get(name)
      if (fate === 'drop') dropped.add(name)
      else if (fate === undefined || fate === 'refuse') throw unsupported(name)
      return fate === 'forward'
    })
}
