import type { AttemptLedger, Balance } from './ledger/ledger.ts'
import type { LimitedBook } from './spend-books.ts'

/** What is left over several books. */
export interface Room {
  /** Room in the tightest book; undefined = no limit. */
  readonly now: number | undefined
  /** The same if other calls held nothing. */
  readonly later: number | undefined
  readonly tightest: LimitedBook | undefined
  readonly tightestLater: LimitedBook | undefined
}

export const NO_ROOM_NEEDED: Room = { now: undefined, later: undefined, tightest: undefined, tightestLater: undefined }

/** Room over all books that have a limit. */
export async function roomIn(books: readonly LimitedBook[], ledger: AttemptLedger): Promise<Room> {
  let room: Room = NO_ROOM_NEEDED
  for (const each of books) {
    if (each.limit === undefined) continue
    const found = ledger.balance(each.book)
    const { settled, held, unresolved }: Balance = found instanceof Promise ? await found : found
    const later = Math.max(0, each.limit - settled - unresolved)
    const now = Math.max(0, later - held)
    room = {
      now: room.now === undefined || now < room.now ? now : room.now,
      later: room.later === undefined || later < room.later ? later : room.later,
      tightest: room.now === undefined || now < room.now ? each : room.tightest,
      tightestLater: room.later === undefined || later < room.later ? each : room.tightestLater,
    }
  }
  return room
}
