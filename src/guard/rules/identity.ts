/** Numbers that states, hospitals and makers give; each with its check where it has one. Those that are only digits need their name before them. */
import {
  mod97,
  passesCodiceFiscale,
  passesCpf,
  passesLuhn,
  passesMod11_10,
  passesMod11_2,
  passesVerhoeff,
  passesVin,
  passesWeights,
} from '../checksums.ts'
import { bare, isDay, rule, type Rule } from './rule.ts'

/** Social Security Administration: no area 000, 666 or 9xx (9xx are tax numbers), no group 00, no serial 0000. */
function isSsn(value: string): boolean {
  const digits = bare(value)
  return !/^(?:000|666|9[0-46-9]\d)|^.{3}00|0000$/.test(digits) && !/^(\d)\1+$/.test(digits) && digits !== '123456789'
}

const spacedSsn = rule('us-ssn', /\d{3}[- ]\d{2}[- ]\d{4}(?![\w-])/, isSsn)
export const calledSsn: Rule = rule(
  'us-ssn',
  /(?:ssn|social[ _-]security(?:[ _-](?:number|no\.?|num))?|itin)["']?[ :=#]{0,4}(?:is )?["']?(\d{3}[- ]?\d{2}[- ]?\d{4})(?!\d)/i,
  isSsn,
)

/** Chinese resident identity number (GB 11643): region, day of birth, order, MOD 11-2. */
const china = rule('national-id', /[1-8]\d{5}(?:19|20)\d{9}[\dXx](?!\w)/, (value) => {
  return isDay(Number(value.slice(10, 12)), Number(value.slice(12, 14))) && passesMod11_2(value.toUpperCase())
})
/** French NIR: sex, year, month, department, commune, order, key 97 - n mod 97. */
const france = rule(
  'national-id',
  /[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?!\w)/,
  (value) => {
    const digits = bare(value).replace('2A', '19').replace('2B', '18')
    return Number(digits.slice(13)) === 97 - mod97(digits.slice(0, 13))
  },
)
/** Belgian national number: YY.MM.DD-nnn.cc, 97 - n mod 97, with a 2 before it for births since 2000. */
const belgium = rule('national-id', /\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}(?!\w)/, (value) => {
  const digits = bare(value)
  const head = digits.slice(0, 9)
  return [head, `2${head}`].some((each) => 97 - mod97(each) === Number(digits.slice(9)))
})
/** Swedish personal number: YYMMDD-NNNN, Luhn. */
const sweden = rule('national-id', /(?:19|20)?\d{6}[-+]\d{4}(?![\w-])/, (value) => {
  const digits = bare(value).slice(-10)
  return isDay(Number(digits.slice(2, 4)), Number(digits.slice(4, 6))) && passesLuhn(digits)
})
/** Finnish personal code: DDMMYY, century, NNN, one of 31 characters. */
const finland = rule('national-id', /\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y](?!\w)/, (value) => {
  const digits = value.slice(0, 6) + value.slice(7, 10)
  return (
    isDay(Number(value.slice(2, 4)), Number(value.slice(0, 2))) &&
    '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(digits) % 31] === value[10]
  )
})
/** Korean resident number: YYMMDD-GNNNNNN, weights 2..9, 2..5. Numbers given since 2020 have no check and are not found. */
const korea = rule('national-id', /\d{6}-[1-8]\d{6}(?![\w-])/, (value) => {
  const digits = bare(value)
  let sum = 0
  for (let i = 0; i < 12; i++) sum += Number(digits[i]) * (2 + (i % 8))
  return isDay(Number(digits.slice(2, 4)), Number(digits.slice(4, 6))) && (11 - (sum % 11)) % 10 === Number(digits[12])
})
/** Brazilian CPF as it is printed. */
const brazil = rule('national-id', /\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)/, (value) => passesCpf(bare(value)))
/** Indian Aadhaar in its groups: Verhoeff, never begins with 0 or 1. */
const aadhaar = rule('national-id', /[2-9]\d{3}[ -]\d{4}[ -]\d{4}(?![\w-]| \d)/, (value) => passesVerhoeff(bare(value)))
/** Spanish DNI: eight digits and a letter modulo 23. */
const spain = rule('national-id', /\d{8}[ -]?[A-HJ-NP-TV-Z](?!\w)/, isDni)

export const numberedIds: readonly Rule[] = [
  spacedSsn,
  china,
  france,
  belgium,
  sweden,
  finland,
  korea,
  brazil,
  aadhaar,
  spain,
]

function isDni(value: string): boolean {
  const plain = bare(value)
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(plain.slice(0, -1)) % 23] === plain.at(-1)
}

/** Spanish NIE: X, Y or Z stands for 0, 1 or 2. */
const nie = rule('national-id', /[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z](?!\w)/, (value) => {
  const plain = bare(value)
  return isDni(`${'XYZ'.indexOf(plain[0] as string)}${plain.slice(1)}`)
})
const codiceFiscale = rule('national-id', /[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?!\w)/, passesCodiceFiscale)
/** Indian PAN: the fourth letter is the kind of holder, P a person. */
const pan = rule('national-id', /[A-Z]{3}[PCHFATBLJG][A-Z]\d{4}[A-Z](?!\w)/)
/** British National Insurance number (HMRC): letters that are never given, one suffix of A to D. */
const nino = rule(
  'national-id',
  /(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)/,
)
const vin = rule(
  'vehicle',
  /[A-HJ-NPR-Z0-9]{17}(?!\w)/,
  (value) => /[A-Z]/.test(value) && /\d/.test(value) && passesVin(value),
)
const recordNumber = rule('medical-record', /MRN[-: #]{0,3}\d{5,12}(?!\w)/)

/** Begin with a capital letter; a vehicle's may begin with a digit too. */
export const letteredIds: readonly Rule[] = [vin, codiceFiscale, pan, nie, nino, recordNumber]
export const vehicle: Rule = vin

const GIVEN = String.raw`(?:[ _-]?(?:number|no\.?|num|nr\.?|id|code|nummer))?["']?[ :=#]{1,4}(?:is )?["']?`
function called(
  names: string,
  value: string,
  kind: 'national-id' | 'passport' | 'medical-record',
  check?: (digits: string) => boolean,
): Rule {
  return rule(
    kind,
    new RegExp(`(?:${names})${GIVEN}(${value})(?![0-9A-Za-z])`, 'i'),
    (found) => check?.(bare(found).toUpperCase()) ?? true,
  )
}

/** Four digits or more: no word. */
function hasNumber(value: string): boolean {
  return value.replace(/\D/g, '').length >= 4
}

const NHS = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
const PESEL = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]
const BSN = [9, 8, 7, 6, 5, 4, 3, 2, -1]
const TFN = [1, 4, 3, 7, 5, 8, 6, 9, 10]

/** Only digits: their name has to stand before them, and their check still has to pass. */
export const calledIds: readonly Rule[] = [
  calledSsn,
  called('nhs', String.raw`\d{3}[ -]?\d{3}[ -]?\d{4}`, 'medical-record', (digits) => passesWeights(digits, NHS, 11)),
  called(
    'steuer-?id(?:entifikationsnummer)?|tax[ _-]?id|idnr|tin',
    String.raw`\d{2}[ ]?\d{3}[ ]?\d{3}[ ]?\d{3}`,
    'national-id',
    passesMod11_10,
  ),
  called('pesel', String.raw`\d{11}`, 'national-id', (digits) => passesWeights(digits, PESEL, 10)),
  called('bsn|burgerservice', String.raw`\d{9}`, 'national-id', (digits) => passesWeights(digits, BSN, 11)),
  called('tfn|tax file', String.raw`\d{3}[ ]?\d{3}[ ]?\d{3}`, 'national-id', (digits) =>
    passesWeights(digits, TFN, 11),
  ),
  called('sin|social insurance', String.raw`\d{3}[ -]?\d{3}[ -]?\d{3}`, 'national-id', passesLuhn),
  called('imei', String.raw`\d{15}`, 'national-id', passesLuhn),
  called('cpf', String.raw`\d{11}`, 'national-id', passesCpf),
  called('aadhaar|aadhar', String.raw`\d{12}`, 'national-id', passesVerhoeff),
  called(
    "driver'?s?[ _-]licen[cs]e|driving licence|dl|national[ _-]id|identity card|personalausweis|id card",
    String.raw`[0-9A-Z][0-9A-Z-]{5,17}`,
    'national-id',
    hasNumber,
  ),
  called(
    'passport|reisepass(?:nummer)?|passeport|pasaporte|passaporto',
    String.raw`[A-Z0-9]{6,10}`,
    'passport',
    hasNumber,
  ),
  called(
    'mrn|medical[ _-]record|patient[ _-]?(?:id|no|number)|health card',
    String.raw`[0-9A-Z-]{5,14}`,
    'medical-record',
    hasNumber,
  ),
]

const DATE = String.raw`\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/. ]{1,2}(?:\d{1,2}|[A-Za-z]{3,9})[-/., ]{1,2}\d{2,4}|[A-Za-z]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4}`
export const birthDate: Rule = rule(
  'birth-date',
  new RegExp(
    String.raw`(?:date[ _-]of[ _-]birth|d\.?o\.?b\.?|birth[ _-]?date|birthday|born(?: on)?|geboren(?: am)?|geburts(?:datum|tag)|geb\.|née? le|date de naissance|nacid[oa] el|fecha de nacimiento|nat[oa] il|data di nascita)["']?[ :=]{0,4}(?:is |on )?["']?(${DATE})(?!\w)`,
    'i',
  ),
)
