/**
 * Check digits of numbers that people and things carry. Each takes the bare characters (digits, capitals; no separators) and says
 * whether they are consistent; all of them are false for characters they do not know.
 */

/** ISO/IEC 7812-1, annex B (cards, Swedish personal numbers, Canadian SIN, IMEI). */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48
    if (digit < 0 || digit > 9) return false
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return digits.length > 1 && sum % 10 === 0
}

/** ISO/IEC 7064 MOD 97-10 over an IBAN (ISO 13616): country and check digits move behind, letters count 10 to 35. */
export function passesIban(iban: string): boolean {
  const remainder = mod97(iban.slice(4) + iban.slice(0, 4))
  return iban.length > 4 && remainder === 1
}

/** A number of any length modulo 97, letters counting 10 to 35; NaN for other characters. */
export function mod97(characters: string): number {
  let remainder = 0
  for (let i = 0; i < characters.length; i++) {
    const code = characters.charCodeAt(i)
    if (code >= 48 && code <= 57) remainder = (remainder * 10 + code - 48) % 97
    else if (code >= 65 && code <= 90) remainder = (remainder * 100 + code - 55) % 97
    else return Number.NaN
  }
  return remainder
}

/** ISO/IEC 7064 MOD 11,10: the German tax number (11 digits). */
export function passesMod11_10(digits: string): boolean {
  let product = 10
  for (let i = 0; i < digits.length - 1; i++) {
    let sum = (digits.charCodeAt(i) - 48 + product) % 10
    if (sum === 0) sum = 10
    product = (sum * 2) % 11
  }
  return (11 - product) % 10 === digits.charCodeAt(digits.length - 1) - 48
}

/** ISO/IEC 7064 MOD 11-2: the Chinese resident identity number (GB 11643, 17 digits and one of 0-9, X). */
export function passesMod11_2(characters: string): boolean {
  let remainder = 0
  for (let i = 0; i < characters.length - 1; i++) remainder = ((remainder + characters.charCodeAt(i) - 48) * 2) % 11
  return '0123456789X'[(12 - remainder) % 11] === characters.at(-1)
}

/** Whether the sum of digit times weight, over all digits, is divisible by a modulus. */
export function passesWeights(digits: string, weights: readonly number[], modulus: number): boolean {
  if (digits.length !== weights.length) return false
  let sum = 0
  for (const [i, weight] of weights.entries()) sum += (digits.charCodeAt(i) - 48) * weight
  return sum % modulus === 0
}

/** Verhoeff's scheme in the dihedral group D5 (J. Verhoeff, "Error Detecting Decimal Codes", 1969): Aadhaar. */
export function passesVerhoeff(digits: string): boolean {
  let check = 0
  for (let i = 0; i < digits.length; i++) {
    let digit = digits.charCodeAt(digits.length - 1 - i) - 48
    for (let turns = i % 8; turns > 0; turns--) digit = TURN[digit] as number
    check = inD5(check, digit)
  }
  return check === 0
}

/** The permutation that Verhoeff applies once more for every place. */
const TURN = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4] as const

/** Product of two elements of D5: 0-4 are turns, 5-9 are turns after a reflection. */
function inD5(a: number, b: number): number {
  if (a < 5) return b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5)
  return b < 5 ? 5 + ((a - b + 5) % 5) : (a - b + 5) % 5
}

/** Check digit of a vehicle's number (49 CFR 565.15; ISO 3779 has the form): the ninth of 17 characters. */
export function passesVin(vin: string): boolean {
  let sum = 0
  for (let i = 0; i < 17; i++) {
    const value = VIN_VALUES[vin[i] as string]
    if (value === undefined) return false
    sum += value * (VIN_WEIGHTS[i] as number)
  }
  return '0123456789X'[sum % 11] === vin[8]
}

const VIN_WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]
const VIN_VALUES: Readonly<Record<string, number | undefined>> = Object.fromEntries(
  '0123456789ABCDEFGHJKLMNPRSTUVWXYZ'
    .split('')
    .map((sign, at) => [sign, at < 10 ? at : Number('12345678123457923456789'[at - 10])]),
)

/** Brazilian CPF: two check digits, each by weights falling to 2, modulo 11. */
export function passesCpf(digits: string): boolean {
  if (/^(\d)\1+$/.test(digits)) return false
  for (const length of [9, 10]) {
    let sum = 0
    for (let i = 0; i < length; i++) sum += (digits.charCodeAt(i) - 48) * (length + 1 - i)
    if (((sum * 10) % 11) % 10 !== digits.charCodeAt(length) - 48) return false
  }
  return true
}

/** Italian codice fiscale (D.M. 23.12.1976): 15 characters, odd and even places counted apart, and a letter modulo 26. */
export function passesCodiceFiscale(code: string): boolean {
  let sum = 0
  for (let i = 0; i < 15; i++) {
    const value = parseInt(code[i] as string, 36)
    const place = value < 10 ? value : value - 10
    sum += i % 2 === 0 ? (CODICE_ODD[place] as number) : place
  }
  return String.fromCharCode(65 + (sum % 26)) === code[15]
}

const CODICE_ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
