/** A text as the rules read it, and the way back to the places of the one that was given. */
export interface FoldedText {
  readonly text: string
  /** Places in the given text, one for each unit of `text` and one for its end; undefined = nothing was folded. */
  readonly places: Int32Array | undefined
}

/**
 * Undoes what hides a number or an address from a pattern and not from a reader: characters without width go, digits of other scripts,
 * full-width forms, kinds of spaces, hyphens and dots become the plain ones. One pass; most texts need none and come back as they are.
 */
export function foldText(text: string): FoldedText {
  if (!FOLDABLE.test(text)) return { text, places: undefined }
  const units: number[] = []
  const places: number[] = []
  for (let at = 0; at < text.length; at++) {
    let code = text.charCodeAt(at)
    const from = at
    if (code === 0xd835) {
      // Mathematical digits, U+1D7CE to U+1D7FF, stand outside the first plane.
      const low = text.charCodeAt(at + 1)
      if (low >= 0xdfce && low <= 0xdfff) {
        code = 48 + ((low - 0xdfce) % 10)
        at++
      }
    } else if (code > 127) code = foldUnit(code)
    if (code === 0) continue
    units.push(code)
    places.push(from)
  }
  places.push(text.length)
  return { text: textOf(units), places: Int32Array.from(places) }
}

/** Any character that `foldUnit` changes, or the first half of a mathematical digit. */
const FOLDABLE =
  /\u034f|[\ufe00-\ufe0f]|[\u00a0\u00ad\u061c\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u0e50-\u0e59\u115f\u1160\u17b4\u17b5\u180b-\u180e\u2000-\u2015\u2024\u2028-\u202f\u205f-\u206f\u2212\u3000\u3002\ud835\ufe52\ufe6b\ufeff\uff01-\uff61]/

/** Code of zero of each script whose digits people type (Unicode, general category Nd). */
const ZEROS = [0x660, 0x6f0, 0x966, 0x9e6, 0xe50]

/** The plain unit for one that only looks different; 0 = it has no width; itself where it means something of its own. */
function foldUnit(code: number): number {
  if (code >= 0xff01 && code <= 0xff5e) return code - 0xfee0
  for (const zero of ZEROS) if (code >= zero && code < zero + 10) return code - zero + 48
  if (code === 0xa0 || (code >= 0x2000 && code <= 0x200a) || code === 0x202f || code === 0x205f || code === 0x3000)
    return 32
  if ((code >= 0x2010 && code <= 0x2015) || code === 0x2212) return 45
  if (code === 0x2024 || code === 0x3002 || code === 0xff61 || code === 0xfe52) return 46
  if (code === 0xfe6b) return 64
  if (code === 0x2028 || code === 0x2029) return 10
  return isWithoutWidth(code) ? 0 : code
}

/** Joiners, direction marks, variation selectors and fillers (Unicode, Default_Ignorable_Code_Point of the first plane). */
export function isWithoutWidth(code: number): boolean {
  return (
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    (code >= 0xfe00 && code <= 0xfe0f) ||
    (code >= 0x180b && code <= 0x180e) ||
    code === 0xad ||
    code === 0x34f ||
    code === 0x61c ||
    code === 0x115f ||
    code === 0x1160 ||
    code === 0x17b4 ||
    code === 0x17b5 ||
    code === 0xfeff
  )
}

/** In pieces: a call takes only so many arguments. */
function textOf(units: readonly number[]): string {
  let text = ''
  for (let at = 0; at < units.length; at += 4096) text += String.fromCharCode(...units.slice(at, at + 4096))
  return text
}
