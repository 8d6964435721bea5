/** Credentials: by the prefixes that their makers publish for secret scanning, by their form, or by their name. */
import { rule, type Hit, type Rule } from './rule.ts'

const END = '(?![A-Za-z0-9])'
const apiKey = (pattern: string): Rule => rule('api-key', new RegExp(pattern + END))

/**
 * By what they begin with: the first characters, and the rest as the maker documents it. Longer prefixes stand before those that they
 * begin with.
 */
const PREFIXED: readonly (readonly [prefix: string, rest: string])[] = [
  // Model providers and gateways: OpenAI, Anthropic, OpenRouter and others share `sk-`.
  ['sk-', '[A-Za-z0-9_-]{20,256}'],
  ['AIza', '[A-Za-z0-9_-]{30,40}'],
  ['hf_', '[A-Za-z0-9]{30,40}'],
  ['gsk_', '[A-Za-z0-9]{40,64}'],
  ['xai-', '[A-Za-z0-9]{40,100}'],
  ['r8_', '[A-Za-z0-9]{36,40}'],
  ['pplx-', '[A-Za-z0-9]{40,64}'],
  ['nvapi-', '[A-Za-z0-9_-]{40,100}'],
  // Clouds.
  ['AKIA', '[A-Z0-9]{16}'],
  ['ASIA', '[A-Z0-9]{16}'],
  ['ABIA', '[A-Z0-9]{16}'],
  ['ACCA', '[A-Z0-9]{16}'],
  ['ya29', String.raw`\.[A-Za-z0-9_-]{20,400}`],
  ['GOCSPX-', '[A-Za-z0-9_-]{20,40}'],
  ['dop_v1_', '[a-f0-9]{64}'],
  ['dapi', '[a-f0-9]{32}(?:-[0-9])?'],
  ['hvs', String.raw`\.[A-Za-z0-9_-]{20,200}`],
  ['AGE-SECRET-KEY-1', '[A-Z0-9]{58}'],
  // Code and packages.
  ['github_pat_', '[A-Za-z0-9_]{40,100}'],
  ['ghp_', '[A-Za-z0-9]{36,255}'],
  ['gho_', '[A-Za-z0-9]{36,255}'],
  ['ghu_', '[A-Za-z0-9]{36,255}'],
  ['ghs_', '[A-Za-z0-9]{36,255}'],
  ['ghr_', '[A-Za-z0-9]{36,255}'],
  ['glpat-', '[A-Za-z0-9_-]{20,64}'],
  ['npm_', '[A-Za-z0-9]{36}'],
  ['pypi-', '[A-Za-z0-9_-]{50,255}'],
  ['rubygems_', '[a-f0-9]{48}'],
  ['dckr_pat_', '[A-Za-z0-9_-]{20,40}'],
  // Services.
  ['xox', '[abeoprs]-[A-Za-z0-9-]{10,250}'],
  ['xapp-', '[A-Za-z0-9-]{20,250}'],
  ['sk_live_', '[A-Za-z0-9]{16,128}'],
  ['sk_test_', '[A-Za-z0-9]{16,128}'],
  ['rk_live_', '[A-Za-z0-9]{16,128}'],
  ['rk_test_', '[A-Za-z0-9]{16,128}'],
  ['whsec_', '[A-Za-z0-9+/=]{20,64}'],
  ['SG', String.raw`\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}`],
  ['shpat_', '[a-fA-F0-9]{32}'],
  ['lin_api_', '[A-Za-z0-9]{32,64}'],
  ['ntn_', '[A-Za-z0-9]{40,64}'],
  ['sbp_', '[a-f0-9]{40}'],
  ['PMAK-', '[a-f0-9]{24}-[a-f0-9]{34}'],
  ['ATATT3', '[A-Za-z0-9_=-]{60,250}'],
  ['sq0', '(?:atp|csp|idp)-[A-Za-z0-9_-]{20,60}'],
]

/** Rules by the first two characters that they may begin with. */
const BY_START = new Map<string, Rule[]>()
for (const [prefix, rest] of PREFIXED) {
  const start = prefix.slice(0, 2)
  BY_START.set(start, [...(BY_START.get(start) ?? []), apiKey(prefix.replaceAll('.', String.raw`\.`) + rest)])
}

/** RFC 7519 in JWS compact form (RFC 7515): header and payload are JSON objects, so both begin with `eyJ`. */
const jwt = rule('jwt', /eyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{4,8000}\.[A-Za-z0-9_-]{0,2000}/)
BY_START.set('ey', [jwt])

export const prefixedSecret: Rule = (text, run) => {
  const rules = BY_START.get(text.slice(run.start, run.start + 2))
  if (rules === undefined) return undefined
  for (const each of rules) {
    const hit = each(text, run)
    if (hit !== undefined) return hit
  }
  return undefined
}

const PEM_HEAD = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/y
const PEM_BODY = /[A-Za-z0-9+/=\s:,.\\-]*/y
const PEM_END = /-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/

/** RFC 7468 (PKCS #1, #8, SEC 1), OpenSSH and OpenPGP: from the first line to the last, or to where the text breaks off. */
export function privateKeyAt(text: string, at: number): Hit | undefined {
  PEM_HEAD.lastIndex = at
  if (!PEM_HEAD.test(text)) return undefined
  const bodyAt = PEM_HEAD.lastIndex
  PEM_BODY.lastIndex = bodyAt
  PEM_BODY.test(text)
  const rest = text.slice(bodyAt, PEM_BODY.lastIndex + 60)
  const end = PEM_END.exec(rest)
  const endAt = end === null ? PEM_BODY.lastIndex : bodyAt + end.index + end[0].length
  return { kind: 'private-key', start: at, end: endAt }
}

const USER_INFO = /:\/\/[^\s/:@"'<>]{0,128}:([^\s/@"'<>]{1,256})@[^\s"'<>]{1,256}/y
const SCHEME_MOST = 20
/** What stands in examples instead of a secret. */
const STAND_IN =
  /^(?:[$<{%*[].*|(?:your|my|the|some|example|test|dummy|sample|placeholder|insert|replace|enter)(?:[-_ ].*)?|pass(?:word|wd|phrase)?|secret|pwd|token|key|user|changeme|change[-_]me|x+|\.+|\*+|null|none|nil|undefined|true|false|string|redacted|process\..*|env[.:].*|os\..*|file:.*)$/i

/** RFC 3986, section 3.2.1: a password in an address. @param at Its "://". */
export function urlPasswordAround(text: string, at: number): Hit | undefined {
  USER_INFO.lastIndex = at
  const match = USER_INFO.exec(text)
  if (match === null || STAND_IN.test(match[1] as string)) return undefined
  let start = at
  while (start > 0 && at - start < SCHEME_MOST && /[A-Za-z0-9+.-]/.test(text[start - 1] as string)) start--
  if (start === at) return undefined
  return { kind: 'url-password', start, end: USER_INFO.lastIndex - (/[.,;:!?)\]}]+$/.exec(match[0])?.[0].length ?? 0) }
}

const NAMED = /[=:"'\s]{0,3}(?:=|:|\bis\b)[ \t]{0,4}["'`]?([^\s"'`,;<>(){}[\]]{6,256})(?!\s*\()/y
const NAME =
  /(?:^|[_-])(?:password|passwd|passwort|pwd|passphrase|secret|secret_?key|api_?key|apikey|access_?key|account_?key|access_?token|auth_?token|client_?secret|private_?key|token|bearer|credentials?|contraseña|kennwort)$/i

/** A value behind a name such as `password=` or `"api_key": `: something that nobody would write as a word. */
export const namedSecret: Rule = (text, { start, end }) => {
  const length = end - start
  if (length < 3 || length > 64) return undefined
  const last = text.charCodeAt(end - 1) | 32
  // Ends of the names above: d, y, n, t, e, s, r.
  if (last !== 100 && last !== 121 && last !== 110 && last !== 116 && last !== 101 && last !== 115 && last !== 114)
    return undefined
  const word = text.slice(start, end).replace(/([a-z])([A-Z])/g, '$1_$2')
  const named = NAME.exec(word)
  if (named === null) return undefined
  NAMED.lastIndex = end
  const match = NAMED.exec(text)
  if (match === null) return undefined
  const value = (match[1] as string).replace(/[.!?]+$/, '')
  if (value.length < 6 || STAND_IN.test(value)) return undefined
  const isPassword = /pass|pwd|kennwort|contra/i.test(named[0])
  if (!(isPassword ? looksChosen(value) : looksRandom(value))) return undefined
  const valueAt = NAMED.lastIndex - (match[1] as string).length
  return { kind: isPassword ? 'password' : 'api-key', start: valueAt, end: valueAt + value.length }
}

/** A password as people choose them: not a plain word, a path or a name in a program. */
function looksChosen(value: string): boolean {
  if (/^[A-Za-z_.]+$/.test(value) || value.includes('://')) return false
  return /\d/.test(value) || /[^\w.]/.test(value)
}

/** Bits per character from which 16 and more characters are no identifier: random base64 of that length has about 3.8. */
const RANDOM_BITS = 3.2

function looksRandom(value: string): boolean {
  return (
    value.length >= 16 &&
    /\d/.test(value) &&
    /[A-Za-z]/.test(value) &&
    !value.includes('/') &&
    entropy(value) >= RANDOM_BITS
  )
}

/** Shannon entropy of the characters, bits each. */
function entropy(value: string): number {
  const counts = new Map<string, number>()
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length)
  return bits
}

/** RFC 6750 and RFC 7617: what follows `Bearer` or `Basic` in a header. */
export const headerSecret: Rule = rule(
  'api-key',
  /(?:[Bb]earer|BEARER|[Bb]asic) ([A-Za-z0-9._~+/-]{20,2048}={0,2})(?![A-Za-z0-9])/,
  // A token of a form of its own is found as that.
  (value) => !value.startsWith('eyJ') && /\d/.test(value) && /[A-Z]/.test(value) && entropy(value) >= RANDOM_BITS,
)
