/** What the detector can find. The closed set is a metric label and the name in a placeholder. */

export const PERSONAL_KINDS = [
  'email',
  'phone',
  'card',
  'iban',
  'bank-account',
  'us-ssn',
  'national-id',
  'passport',
  'medical-record',
  'vehicle',
  'birth-date',
  'ip',
  'address',
  'person',
] as const
export const SECRET_KINDS = ['api-key', 'private-key', 'jwt', 'url-password', 'password'] as const
export type FindingKind = (typeof PERSONAL_KINDS)[number] | (typeof SECRET_KINDS)[number]
export const FINDING_KINDS: readonly FindingKind[] = [...PERSONAL_KINDS, ...SECRET_KINDS]

/** A place in a text, in UTF-16 units of the text as it was given; holds no value. */
export interface Finding {
  readonly kind: FindingKind
  readonly start: number
  /** Behind its last character. */
  readonly end: number
}

const SECRETS: ReadonlySet<FindingKind> = new Set(SECRET_KINDS)

/** Whether a kind is a credential and no data about a person. */
export function isSecret(kind: FindingKind): boolean {
  return SECRETS.has(kind)
}
