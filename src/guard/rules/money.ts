/** Cards and bank accounts. */
import { passesIban, passesLuhn, passesWeights } from '../checksums.ts'
import { bare, rule, type Rule } from './rule.ts'

/** Issuer prefixes (ISO/IEC 7812-1) and lengths of Visa, Mastercard, American Express, Discover, Diners, JCB, UnionPay and Maestro. */
const ISSUERS: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720))/, [16]],
  [/^3[47]/, [15]],
  [/^(?:6011|64[4-9]|65)/, [16, 17, 18, 19]],
  [/^3(?:0[0-5]|[68-9])/, [14, 16]],
  [/^35(?:2[89]|[3-8]\d)/, [16]],
  [/^62/, [16, 17, 18, 19]],
  [/^(?:50(?:18|20|38)|5893|6304|6759|676[1-3])/, [13, 14, 15, 16, 17, 18, 19]],
]

/** Whether the digits are those of a payment card: a known issuer, its length, the Luhn check, and not one digit repeated. */
export function isCard(value: string): boolean {
  const digits = bare(value)
  if (/^(\d)\1+$/.test(digits)) return false
  return (
    ISSUERS.some(([prefix, lengths]) => lengths.includes(digits.length) && prefix.test(digits)) && passesLuhn(digits)
  )
}

/** In one piece, or in the groups that cards are embossed in (4-4-4-4, 4-6-5, 4-6-4). */
export const card: Rule = rule(
  'card',
  /(?:\d{13,19}|\d{4}(?:[ .-]\d{4}){2}[ .-]\d{1,4}(?:[ .-]\d{3})?|\d{4}[ .-]\d{6}[ .-]\d{4,5})(?![0-9A-Za-z]|[-.,]\d)/,
  isCard,
)

/** Lengths of the IBAN by country (ISO 13616, SWIFT's registry). */
const IBAN_LENGTHS: Readonly<Record<string, number | undefined>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 ' +
    'FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 ' +
    'LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 ' +
    'SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

const IBAN = /[A-Za-z]{2}\d{2}(?:[ -]?[0-9A-Za-z]){11,31}/y

/** With or without its groups of four; what follows in the same breath is cut off at the country's length. */
export const iban: Rule = (text, { start }) => {
  IBAN.lastIndex = start
  const match = IBAN.exec(text)
  if (match === null) return undefined
  const length = IBAN_LENGTHS[match[0].slice(0, 2).toUpperCase()]
  if (length === undefined) return undefined
  let end = start
  let left = length
  for (; left > 0 && end < IBAN.lastIndex; end++) if (text[end] !== ' ' && text[end] !== '-') left--
  if (left > 0 || /[0-9A-Za-z]/.test(text[end] ?? '')) return undefined
  return passesIban(bare(text.slice(start, end)).toUpperCase()) ? { kind: 'iban', start, end } : undefined
}

/** US routing number (ABA): weights 3, 7, 1 modulo 10. */
export const routingNumber: Rule = rule(
  'bank-account',
  /(?:routing|aba)(?: (?:number|no\.?|#))?[ :=#]{1,4}"?(\d{9})(?!\d)/i,
  (digits) => passesWeights(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1], 10),
)

export const accountNumber: Rule = rule(
  'bank-account',
  /(?:(?:bank )?account|acct|konto)[ _-]?(?:number|no\.?|nr\.?|nummer|#)["' :=#]{1,5}(\d[\d -]{4,20}\d)(?![\d-])/i,
)
