/** How to reach somebody: e-mail, telephone, address on the network. */
import { isIPv6 } from 'node:net'
import { bare, rule, type Hit, type Rule } from './rule.ts'

/** RFC 5321, section 4.5.3.1: a local part has 64 octets at most, a domain 255. */
const LOCAL_MOST = 64
const LOCAL_CHARACTER = /[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]/u
const DOMAIN =
  /(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:\p{L}{2,24}|xn--[a-z0-9-]{2,59})(?![\p{L}\p{N}])/uy
/** Ends of file names, which follow an "@" in asset names such as `icon@2x.png`. */
const FILE_ENDS =
  /\.(?:png|jpe?g|gif|svg|webp|ico|js|mjs|ts|tsx|jsx|css|scss|html?|json|ya?ml|md|txt|lock|so|dll|exe)$/i
/** Names before an "@" that are a service and no person: remotes of version control. */
const SERVICES: ReadonlySet<string> = new Set(['git', 'hg', 'svn'])

/** RFC 5321 and RFC 6531 (any letters), found from its "@", or what stands for it (`%40`, `&#64;`), outwards. */
export function emailAround(text: string, at: number, signLength: number): Hit | undefined {
  DOMAIN.lastIndex = at + signLength
  const match = DOMAIN.exec(text)
  if (match === null || FILE_ENDS.test(match[0])) return undefined
  let start = at
  while (start > 0 && at - start < LOCAL_MOST && LOCAL_CHARACTER.test(text[start - 1] as string)) start--
  // Quotes, and what joins a name to a value in addresses and code, belong to what stands before it.
  start += /^.*[=/?&'`{}|]/s.exec(text.slice(start, at))?.[0].length ?? 0
  // So does the letter of an escape (`\n`) in JSON or code.
  if (text[start - 1] === '\\' && /[nrt]/.test(text[start] as string)) start++
  while (start < at && /[.!#$%*^~-]/.test(text[start] as string)) start++
  if (start >= at || text[at - 1] === '.' || SERVICES.has(text.slice(start, at))) return undefined
  return { kind: 'email', start, end: DOMAIN.lastIndex }
}

const SPELLED =
  /[[({<]? {0,2}(?:at|AT)(?: {0,2}[\])}>])? {0,2}([\w-]{1,63}(?: {0,2}(?:\.|[[({<]? {0,2}(?:dot|DOT|punkt)(?: {0,2}[\])}>])?) {0,2}[\w-]{1,63}){1,6})(?![\w-])/y

/** Spelled so that programs do not see it: `ada [at] mail [dot] example [dot] com`. @param at Its "at" or the bracket before. */
export function spelledEmailAround(text: string, at: number): Hit | undefined {
  SPELLED.lastIndex = at
  const match = SPELLED.exec(text)
  // Without brackets, "at" is a word: only a "dot" behind it makes an address.
  if (match === null || (!/[[({<]/.test(text[at] as string) && !/\bdot\b/i.test(match[0]))) return undefined
  if (!/[a-z]{2,24}$/i.test(match[0])) return undefined
  let end = at
  while (end > 0 && at - end < 3 && text[end - 1] === ' ') end--
  let start = end
  while (start > 0 && end - start < LOCAL_MOST && /[\w.+-]/.test(text[start - 1] as string)) start--
  return start === end ? undefined : { kind: 'email', start, end: SPELLED.lastIndex }
}

/** Calling codes of one to three digits (ITU-T E.164, list of assigned country codes). */
const CALLING_CODE =
  /^(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-689]\d|3[578]\d|42[013]|5[09]\d|6[789]\d|8[05]\d|88\d|9[679]\d)/

/** International: "+", calling code, 7 to 15 digits in all (ITU-T E.164), grouped as people do. In North America exactly ten follow. */
export const internationalPhone: Rule = rule(
  'phone',
  /(?:\+|00(?=[1-9]))[1-9](?:[ .\-/()]{0,3}\d){6,14}(?!\d|[.,]\d)/,
  (value) => {
    const digits = bare(value).replace(/^00/, '')
    if (!CALLING_CODE.test(digits)) return false
    if (digits.startsWith('1')) return /^1[2-9]\d\d[2-9]\d{6}$/.test(digits)
    return digits.length >= (/[ ()/-]/.test(value) ? 8 : 10) && digits.length <= 15
  },
)

/** North American numbering plan: area and exchange begin with 2 to 9; with separators, as ten bare digits are anything. */
export const americanPhone: Rule = rule(
  'phone',
  /(?:1[ .-])?(?:\([2-9]\d\d\)[ .-]?|[2-9]\d\d[ .-])[2-9]\d\d[.-]\d{4}(?![\dA-Za-z]|[-.]\d)/,
)

/** Any number that is called one. */
export const calledPhone: Rule = rule(
  'phone',
  /(?:phone|telephone|tele?fon(?:o|e|nummer)?|tel|mobile?|mobil|cell|fax|handy|whatsapp|call(?: me)?(?: at| on)?|téléphone)(?:[ _-]?(?:number|no|nr|num))?["'.]{0,2}[ :=]{1,4}["']?(\+?\(?\d(?:[ .\-/()]{0,3}\d){6,14})(?!\d)/i,
)

const IPV4 = /(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)/y
/** This machine, private networks, link-local, multicast, reserved (RFC 6890): nobody's. */
const NOBODYS =
  /^(?:0\.|10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|2(?:2[4-9]|[345]\d)\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/
const VERSION_BEFORE = /(?:version|release|build|ver\.?|v|oid)[ :="']{0,3}$/i

/** A public IPv4 address; four numbers behind "version" are one. */
export const ipv4: Rule = (text, { start }) => {
  IPV4.lastIndex = start
  const match = IPV4.exec(text)
  if (match === null || NOBODYS.test(match[0])) return undefined
  if (match[0].split('.').some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0'))))
    return undefined
  if (VERSION_BEFORE.test(text.slice(Math.max(0, start - 12), start))) return undefined
  return { kind: 'ip', start, end: IPV4.lastIndex }
}

const IPV6 = /[0-9a-fA-F]{1,4}:[0-9a-fA-F:]{4,40}(?:\.\d{1,3}){0,3}(?![\w:])/y

/** A global IPv6 address (RFC 4291): not link-local, unique local or multicast, and long enough to be no name in a program. */
export const ipv6: Rule = (text, { start }) => {
  IPV6.lastIndex = start
  const match = IPV6.exec(text)
  if (match === null || match[0].length < 8 || /^f[cdef]/i.test(match[0])) return undefined
  if (!/\d/.test(match[0]) || !isIPv6(match[0])) return undefined
  return { kind: 'ip', start, end: IPV6.lastIndex }
}
