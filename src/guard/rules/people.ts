/** Names and postal addresses, as far as rules can: what stands where a name or an address stands, in a few languages. */
import { GIVEN_NAMES } from './given-names.ts'
import { rule, type Rule } from './rule.ts'

const NAME = String.raw`(?:\p{Lu}(?:\p{L}|['’](?=\p{L}{2})){1,24}(?:-\p{Lu}\p{L}{1,24})?|\p{Lu}\.|[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]{1,6})`
const FAMILY = new RegExp(
  `(?: (?:van|von|de|der|da|di|dos|del|la|bin|al|el|ter|ten)){0,2}(?: |-)${NAME}(?: ${NAME})?`,
  'uy',
)
/** Words with a capital that follow a given name without being a family name. */
const NO_FAMILY =
  /^(?:I|The|A|An|And|Or|Is|Was|Has|Had|Will|Can|In|On|At|To|For|Of|He|She|It|They|We|You|My|Your|Please|Street|Road|Avenue)$/

/** A common given name with a family name behind it. */
const fullName: Rule = (text, { start, end }) => {
  // A name with a letter outside ASCII ends where its run does not.
  let nameEnd = end
  while (nameEnd - start < 16 && text.charCodeAt(nameEnd) >= 0xc0 && text.charCodeAt(nameEnd) <= 0x24f) {
    nameEnd++
    while (/[a-z]/.test(text[nameEnd] ?? '')) nameEnd++
  }
  if (!GIVEN_NAMES.has(text.slice(start, nameEnd))) return undefined
  FAMILY.lastIndex = nameEnd
  const match = FAMILY.exec(text)
  if (match === null) return undefined
  const [first = '', second] = match[0].trim().split(' ')
  if (NO_FAMILY.test(first)) return undefined
  const isSecondName = second === undefined || !NO_FAMILY.test(second)
  return { kind: 'person', start, end: isSecondName ? FAMILY.lastIndex : nameEnd + 1 + first.length }
}

/** Whom letters begin to without meaning a person. */
const NOBODY =
  /^(?:Sir|Madam|Team|All|Customer|Customers|Friend|Friends|Colleague|Colleagues|Hiring|Support|Everyone|Reader|User|Users|Community|Diary|God|Lord|Santa|The|To|Mr|Mrs|Ms|Dr)\b/

const titled = rule(
  'person',
  new RegExp(
    String.raw`(?:(?:Dear|Liebe[r]?|Cher|Chère|Querid[oa]|Caro|Cara)(?: (?:Mr|Mrs|Ms|Dr|Herr|Frau)\.?)?|Mr\.?|Mrs\.?|Ms\.?|Dr\.|Prof\.|Herr|Frau|Mme|Señora?|Signora?) (${NAME}(?: ${NAME}){0,2})`,
    'u',
  ),
  (value) => !NOBODY.test(value),
)

const labelled = rule(
  'person',
  new RegExp(
    String.raw`(?:[Pp]atient|[Ee]mployee|[Cc]ustomer|[Cc]lient|[Aa]pplicant|[Cc]laimant|[Tt]enant|[Bb]eneficiary|[Cc]ardholder|[Ss]tudent|[Ss]igned|[Aa]ttn|[Ff]ull|[Ff]irst|[Ll]ast|[Mm]aiden|[Vv]orname|[Nn]achname|[Nn]ame|Patientin|[Nn]om|[Nn]ombre)(?:[ _-]?[Nn]ame)?["']?(?: ?[:=] ?["']?|, ?)(${NAME}(?: ${NAME}){1,2})(?![\p{L}\d_])`,
    'u',
  ),
  (value) => !NOBODY.test(value),
)

const introduced = rule('person', new RegExp(String.raw`[Mm]y name is (${NAME}(?: ${NAME}){0,2})`, 'u'))

/** Asked at words that begin like one of their contexts. */
export const namesInContext: readonly Rule[] = [titled, labelled, introduced]
export const namesByGivenName: Rule = fullName

const TOWN = String.raw`\p{Lu}[\p{L}.'-]{1,30}(?: \p{Lu}[\p{L}.'-]{1,30}){0,3}`
const SUFFIX =
  '(?:Street|St|Avenue|Ave|Road|Rd|Terrace|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Square|Sq|Parkway|Pkwy|Highway|Hwy|Close|Crescent|Circle|Row|Walk|Gardens|Grove|Mews|Trail|Alley)'

/** House number, street with its kind, then town, state and code where they follow (US, UK, Canada, Australia). */
export const numberedStreet: Rule = rule(
  'address',
  new RegExp(
    String.raw`\d{1,5}[A-Za-z]?(?: (?:[NSEW]|North|South|East|West)\.?)? (?:\p{Lu}[\p{L}'-]{1,24} |\d{1,3}(?:st|nd|rd|th) ){1,4}?${SUFFIX}(?![\p{L}\d])\.?` +
      String.raw`(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|#)\.? ?[\w-]{1,6})?(?:,\s?${TOWN}(?=[,\s.]|$))?(?:,? [A-Z]{2}(?![\p{L}\d]))?(?:,? (?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d)(?![\p{L}\d]))?`,
    'u',
  ),
)

/** French: number, kind of way, name, code and town. */
export const frenchStreet: Rule = rule(
  'address',
  new RegExp(
    String.raw`\d{1,4}(?: bis| ter)?,? (?:rue|avenue|boulevard|place|chemin|allée|impasse|quai|cours|route) (?:[\p{L}'’-]{1,20} ?){1,6}(?:, ?\d{5} ${TOWN})?`,
    'u',
  ),
)

/** German, Austrian, Swiss, Dutch, Nordic: one word that ends in its kind of way, the number behind it, then code and town. */
export const streetWord: Rule = rule(
  'address',
  new RegExp(
    String.raw`\p{Lu}[\p{L}-]{1,30}(?:stra(?:ß|ss)e|str\.|weg|allee|platz|gasse|ring|damm|ufer|straat|gracht|laan|plein|gatan|vägen|vej|gade)(?: |-)\d{1,4} ?[a-z]?(?![\p{L}\d])(?:, ?(?:[A-Z]{1,2}-)?\d{4,5}(?: [A-Z]{2})? ${TOWN})?`,
    'u',
  ),
)

/** Two words: `Lange Straße 5`, `Via Roma 12`, `Calle Mayor 5`. */
export const streetWords: Rule = rule(
  'address',
  new RegExp(
    String.raw`(?:\p{Lu}[\p{L}-]{1,24} (?:Straße|Strasse|Str\.|Weg|Allee|Platz|Gasse|Ring)|(?:Via|Viale|Piazza|Corso|Calle|Avenida|Avda\.|Paseo|Plaza|Rua|Avenida|Travessa|ul\.) (?:\p{L}{1,20} ){0,3}\p{Lu}[\p{L}-]{1,24}),? (?:n[º°.] ?)?\d{1,4}[a-z]?(?![\p{L}\d])(?:, ?\d{4,5}(?:-\d{3})? ${TOWN})?`,
    'u',
  ),
)

export const postBox: Rule = rule(
  'address',
  /(?:P\.? ?O\.? Box|Postfach) \d{1,7}(?!\d)(?:,? \d{5} \p{Lu}\p{L}{1,24})?/u,
)
