import { emailAround } from './contact.ts'
import type { Hit, Rule } from './rule.ts'

const BASE64 = /[A-Za-z0-9+/]{16,512}={0,2}(?![A-Za-z0-9+/=])/y

/** An address that was encoded (RFC 4648, section 4): a short run that decodes to plain text with an address in it. */
export const emailInBase64: Rule = (text, { start }): Hit | undefined => {
  const decoded = decodeBase64(text, start)
  if (decoded === undefined) return undefined
  const at = decoded.indexOf('@')
  if (at <= 0 || emailAround(decoded, at, 1) === undefined) return undefined
  return { kind: 'email', start, end: BASE64.lastIndex }
}

/** The printable text that a base64 run at this place stands for; undefined = none. */
export function decodeBase64(text: string, start: number): string | undefined {
  BASE64.lastIndex = start
  const run = BASE64.exec(text)?.[0]
  if (run === undefined || run.length % 4 !== 0) return undefined
  const decoded = Buffer.from(run, 'base64').toString('latin1')
  return /^[\x20-\x7e\r\n\t]+$/.test(decoded) ? decoded : undefined
}
