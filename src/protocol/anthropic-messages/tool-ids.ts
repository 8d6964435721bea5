/** Ids of tool calls. Anthropic's clients expect `^[a-zA-Z0-9_-]+$`; other providers' ids may hold anything. */

const PLAIN = /^[a-zA-Z0-9_-]{1,256}$/
const PREFIX = 'toolu_sy_'

/** An id as callers of this dialect see it: a plain one as it is, any other in letters that `readToolId` turns back. */
export function showToolId(id: string): string {
  // UTF-16, since an id may hold half a surrogate pair, which UTF-8 cannot write.
  return PLAIN.test(id) && !id.startsWith(PREFIX) ? id : PREFIX + Buffer.from(id, 'utf16le').toString('base64url')
}

/** The id that `showToolId` has shown; any other is itself. */
export function readToolId(shown: string): string {
  if (!shown.startsWith(PREFIX)) return shown
  const id = Buffer.from(shown.slice(PREFIX.length), 'base64url').toString('utf16le')
  return showToolId(id) === shown ? id : shown
}
