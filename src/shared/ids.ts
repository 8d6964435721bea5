import { randomBytes } from 'node:crypto'

const BATCH = 256
const BYTES = 12
let pool: Buffer = Buffer.alloc(0)
let next = 0

/** A new id: prefix and 96 random bits in base64url (16 characters). Random bytes are drawn in batches, as one system call per id would cost more than the id. */
export function newId(prefix: string): string {
  if (next === pool.length) {
    pool = randomBytes(BATCH * BYTES)
    next = 0
  }
  const id = prefix + pool.toString('base64url', next, next + BYTES)
  next += BYTES
  return id
}
