import { decodeBase64 } from '../rules/base64.ts'
import { clauseEvidence } from './clause-evidence.ts'
import { foreignEvidence } from './foreign-evidence.ts'
import { note, type Evidence, type InjectionReason } from './evidence.ts'
import { markupEvidence } from './markup-evidence.ts'
import { plainText, type PlainText } from './plain-text.ts'

export interface InjectionSignal {
  /** 0 = nothing, towards 1 = much that belongs to an attack. Not a probability. */
  readonly score: number
  readonly reasons: readonly InjectionReason[]
}

/** From this score a text counts as suspicious. */
export const SUSPICIOUS = 0.5

const NOTHING: InjectionSignal = { score: 0, reasons: [] }

/**
 * How much a text looks like an attempt to take a model over. A heuristic over words near each other and over markup: it misses what
 * is worded otherwise and may hit who only speaks of it, so it may make the treatment of a request stricter and nothing else.
 * Never throws; time in proportion to the text.
 */
export function injectionSignal(text: string): InjectionSignal {
  const plain = plainText(text)
  const evidence: Evidence = new Map()
  collect(plain.text, evidence)
  hiddenEvidence(plain, evidence)
  decodedEvidence(text, plain.text, evidence)
  return signalOf(evidence)
}

/** Reasons count as independent: 1 - product of (1 - weight). */
function signalOf(evidence: Evidence): InjectionSignal {
  if (evidence.size === 0) return NOTHING
  let innocent = 1
  for (const weight of evidence.values()) innocent *= 1 - weight
  return { score: 1 - innocent, reasons: [...evidence.keys()] }
}

function collect(text: string, evidence: Evidence): void {
  clauseEvidence(text, evidence)
  markupEvidence(text, evidence)
  foreignEvidence(text, evidence)
}

function hiddenEvidence({ invisible, doubles, tags, overrides }: PlainText, evidence: Evidence): void {
  if (tags > 0) note(evidence, 'hidden-characters', 0.9)
  else if (overrides > 0) note(evidence, 'hidden-characters', 0.5)
  else if (invisible > 1) note(evidence, 'hidden-characters', 0.5)
  else if (doubles > 0) note(evidence, 'hidden-characters', 0.4)
}

/** Words of the lexicon with digits for letters. */
const LEET =
  /\b(?=[a-z]{0,12}[013457])(?:[i1]gn[o0]r[e3]|pr[o0]mpt|[s5]y[s5][t7][e3]m|pr[e3]v[i1][o0]u[s5]|[i1]n[s5][t7]ruc[t7][i1][o0]n[s5]?)\b/
const HEX_RUN = /\b(?:0x)?(?:[0-9a-f]{2} ?){12,128}\b/
const BASE64_RUN = /[A-Za-z0-9+/]{16,}/g
/** Runs that are decoded: a picture as text has thousands. */
const RUNS_MOST = 8
/** Words of the lexicon as ROT13 and as read backwards. */
const ROTATED = /\b(?:vtaber|flfgrz|cebzcg|vafgehpgvbaf?|cerivbhf|qvfertneq|erirny)\b/
const BACKWARDS = /erongi|metsys|tpmorp|snoitcurtsni|suoiverp|drageref?sid/
const SPACED = /(?:[a-z0-9] ){5,}[a-z0-9]/

/** What a text says once it is decoded, spelled together or turned round: an attack there is one, and that it was hidden is another sign. */
function decodedEvidence(original: string, plain: string, evidence: Evidence): void {
  const inside: Evidence = new Map()
  const rotated = around(plain, ROTATED)
  if (rotated !== undefined) collect(rot13(rotated), inside)
  const backwards = around(plain, BACKWARDS)
  if (backwards !== undefined) collect(backwards.split('').toReversed().join(''), inside)
  const spaced = around(plain, SPACED)
  if (spaced !== undefined) collect(joinLetters(spaced), inside)
  const leet = around(plain, LEET)
  if (leet !== undefined)
    collect(
      leet.replace(/[013457]/g, (digit) => LETTERS[digit] as string),
      inside,
    )
  const hex = HEX_RUN.exec(plain)?.[0]
  if (hex !== undefined) collect(Buffer.from(hex.replace(/^0x| /g, ''), 'hex').toString('latin1').toLowerCase(), inside)
  if (/%[0-9a-f]{2}%[0-9a-f]{2}/.test(plain)) collect(percentDecoded(around(plain, /%[0-9a-f]{2}/) ?? ''), inside)
  let runs = 0
  for (const { index } of original.matchAll(BASE64_RUN)) {
    if (++runs > RUNS_MOST) break
    const decoded = decodeBase64(original, index)
    if (decoded !== undefined) collect(decoded.toLowerCase(), inside)
  }
  if (inside.size === 0) return
  const wasThere = [...inside].every(([reason, weight]) => (evidence.get(reason) ?? 0) >= weight)
  for (const [reason, weight] of inside) note(evidence, reason, weight)
  if (!wasThere) note(evidence, 'encoded', 0.5)
}

/** Characters to either side of a sign of encoding that are decoded with it. */
const AROUND = 256

function around(text: string, sign: RegExp): string | undefined {
  const at = text.search(sign)
  return at === -1 ? undefined : text.slice(Math.max(0, at - AROUND), at + AROUND)
}

const LETTERS: Readonly<Record<string, string>> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't' }

function percentDecoded(text: string): string {
  return text.replace(/%[0-9a-f]{2}/g, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16))).toLowerCase()
}

function rot13(text: string): string {
  return text.replace(/[a-z]/g, (letter) => String.fromCharCode(((letter.charCodeAt(0) - 97 + 13) % 26) + 97))
}

/** `i g n o r e   r u l e s` to `ignore rules`. */
function joinLetters(text: string): string {
  return text.replace(/([a-z0-9]) (?=[a-z0-9](?: |$))/g, '$1').replace(/ {2,}/g, ' ')
}
