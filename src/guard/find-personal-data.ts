import { emailInBase64 } from './rules/base64.ts'
import {
  americanPhone,
  calledPhone,
  emailAround,
  internationalPhone,
  ipv4,
  ipv6,
  spelledEmailAround,
} from './rules/contact.ts'
import { birthDate, calledIds, letteredIds, numberedIds, vehicle } from './rules/identity.ts'
import { accountNumber, card, iban, routingNumber } from './rules/money.ts'
import {
  frenchStreet,
  namesByGivenName,
  namesInContext,
  numberedStreet,
  postBox,
  streetWord,
  streetWords,
} from './rules/people.ts'
import { firstOf, type Hit, type Run } from './rules/rule.ts'
import { headerSecret, namedSecret, prefixedSecret, privateKeyAt, urlPasswordAround } from './rules/secrets.ts'
import type { Finding } from './finding.ts'
import { foldText } from './fold-text.ts'

/**
 * Personal data and credentials in a text, in the order in which they stand, none over another. Never throws. One pass: every run of
 * letters and digits is looked at once, every rule reads a bounded stretch, and the pass goes on behind what was found.
 */
export function findPersonalData(text: string): readonly Finding[] {
  const folded = foldText(text)
  const hits = scan(folded.text)
  const { places } = folded
  if (places === undefined || hits.length === 0) return hits
  return hits.map(({ kind, start, end }) => ({
    kind,
    start: places[start] as number,
    // Behind the last character, and before what without width may follow it.
    end: (places[end - 1] as number) + (text.charCodeAt(places[end - 1] as number) === 0xd835 ? 2 : 1),
  }))
}

function scan(text: string): readonly Hit[] {
  const hits: Hit[] = []
  const run: Run = { start: 0, end: 0, digits: 0, capitals: 0, smalls: 0 }
  const found = (hit: Hit | undefined): boolean => {
    if (hit === undefined) return false
    // An address may reach back over a shorter find.
    while (hits.length > 0 && (hits.at(-1) as Hit).end > hit.start) {
      const last = hits.at(-1) as Hit
      if (last.start < hit.start || last.end - last.start > hit.end - hit.start) return false
      hits.pop()
    }
    hits.push(hit)
    return true
  }
  const { length } = text
  for (let at = 0; at < length;) {
    const code = text.charCodeAt(at)
    const kind = code < 128 ? (CLASSES[code] as number) : OTHER
    if (kind >= DIGIT) {
      readRun(text, at, run)
      const hit = kind === DIGIT ? atDigit(text, run) : atWord(text, run)
      at = found(hit) ? Math.max(run.start + 1, (hit as Hit).end) : run.end
    } else if (kind === SIGN) {
      if (code === BACKSLASH) {
        // The letter of an escape in JSON or code is no part of the word behind it.
        at += /[nrt]/.test(text[at + 1] ?? '') ? 2 : 1
        continue
      }
      const hit = atSign(text, at, code, run)
      at = found(hit) ? Math.max(at + 1, (hit as Hit).end) : at + 1
    } else at++
  }
  return hits
}

const BACKSLASH = 92
const OTHER = 0
const SIGN = 1
const DIGIT = 2
const LETTER = 3
const CLASSES = new Uint8Array(128)
CLASSES.fill(DIGIT, 48, 58)
CLASSES.fill(LETTER, 65, 91)
CLASSES.fill(LETTER, 97, 123)
CLASSES[95] = LETTER
for (const sign of '@+-([{<:%&\\') CLASSES[sign.charCodeAt(0)] = SIGN

function readRun(text: string, start: number, run: Run): void {
  run.start = start
  run.digits = 0
  run.capitals = 0
  run.smalls = 0
  let at = start
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code >= 97 && code <= 122) run.smalls++
    else if (code >= 48 && code <= 57) run.digits++
    else if (code >= 65 && code <= 90) run.capitals++
    else if (code !== 95) break
  }
  run.end = at
}

const plainNumbers = firstOf([card, internationalPhone, ...numberedIds, americanPhone, ipv4])

/** A run that begins with a digit; in the middle of a longer number (`3.14`, `1-2`) nothing begins. */
function atDigit(text: string, run: Run): Hit | undefined {
  const { start, end, digits } = run
  if (isInsideNumber(text, start)) return text.charCodeAt(end) === 58 ? ipv6(text, run) : undefined
  const length = end - start
  if (digits === length) {
    const next = text.charCodeAt(end)
    // Alone, fewer digits than the shortest number of any kind.
    if (digits < 8 && next !== 32 && next !== 45 && next !== 46 && next !== 58 && next !== 44) return undefined
    if (next === 58) return ipv6(text, run)
    return plainNumbers(text, run) ?? (digits <= 5 ? (numberedStreet(text, run) ?? frenchStreet(text, run)) : undefined)
  }
  if (text.charCodeAt(end) === 58) return ipv6(text, run)
  if (length === 17 && run.smalls === 0) return vehicle(text, run)
  return plainNumbers(text, run) ?? (length >= 16 ? emailInBase64(text, run) : undefined)
}

function isInsideNumber(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1)
  return (before === 46 || before === 45 || before === 44) && isDigit(text.charCodeAt(at - 2))
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

const lettered = firstOf(letteredIds)
const named = firstOf(namesInContext)
const streets = firstOf([streetWord, streetWords])
const called = firstOf([...calledIds, birthDate, calledPhone, routingNumber, accountNumber])

/** First three letters of every word that stands before a number of the called kinds. */
const CALLED_STARTS: ReadonlySet<string> = new Set(
  (
    'ssn soc iti nhs ste tax idn tin pes bsn bur tfn sin ime cpf aad dri dl nat ide per id pas rei mrn med pat hea dat dob d bir bor geb ' +
    'ne née nac fec nato nat pho tel mob cel fax han wha cal rou aba acc ban kon acct'
  ).split(' '),
)
const NAMED_STARTS: ReadonlySet<string> = new Set(
  'dea lie che que car mr mrs ms dr pro her fra mme señ sig pat emp cus cli app cla ten ben stu att ful fir las mai vor nac nam nom my'.split(
    ' ',
  ),
)

function atWord(text: string, run: Run): Hit | undefined {
  const { start, end, digits, capitals, smalls } = run
  const length = end - start
  const secret = prefixedSecret(text, run)
  if (secret !== undefined) return secret
  const key = text.slice(start, Math.min(end, start + 3)).toLowerCase()
  if (digits === 0) {
    if (NAMED_STARTS.has(key)) {
      const hit = named(text, run)
      if (hit !== undefined) return hit
    }
    if (capitals > 0) {
      const next = text.charCodeAt(end)
      if (next === 32 || next > 127) {
        const hit = namesByGivenName(text, run)
        if (hit !== undefined) return hit
      }
      const first = text.charCodeAt(start)
      if (first >= 65 && first <= 90) {
        const hit = streets(text, run) ?? (first === 80 ? postBox(text, run) : undefined)
        if (hit !== undefined) return hit
      }
    }
  }
  if (CALLED_STARTS.has(key)) {
    const hit = called(text, run)
    if (hit !== undefined) return hit
  }
  if (length >= 3) {
    const hit = namedSecret(text, run) ?? (length <= 6 ? headerSecret(text, run) : undefined)
    if (hit !== undefined) return hit
  }
  // Letters that numbers begin with: IBAN, vehicles, lettered identity numbers.
  if (digits > 0 || length <= 3) {
    const hit = iban(text, run) ?? (smalls === 0 ? lettered(text, run) : undefined)
    if (hit !== undefined) return hit
  }
  if (length <= 4 && text.charCodeAt(end) === 58) return ipv6(text, run)
  if (length === 2 && key === 'at') return spelledEmailAround(text, start)
  return length >= 16 ? emailInBase64(text, run) : undefined
}

/** Characters that say where an address or a key begins. */
function atSign(text: string, at: number, code: number, run: Run): Hit | undefined {
  run.start = at
  switch (code) {
    case 64: // @
      return emailAround(text, at, 1)
    case 37: // %
      return text.startsWith('%40', at) ? emailAround(text, at, 3) : undefined
    case 38: // &
      return text.startsWith('&#64;', at) ? emailAround(text, at, 5) : undefined
    case 43: // +
      return isDigit(text.charCodeAt(at + 1)) ? internationalPhone(text, run) : undefined
    case 45: // -
      return text.startsWith('-----BEGIN', at) ? privateKeyAt(text, at) : undefined
    case 58: // :
      return text.startsWith('://', at) ? urlPasswordAround(text, at) : undefined
    case 40: // (
      return isDigit(text.charCodeAt(at + 1)) ? americanPhone(text, run) : spelledEmailAround(text, at)
    case 91: // [
    case 123: // {
    case 60: // <
      return spelledEmailAround(text, at)
    default:
      return undefined
  }
}
