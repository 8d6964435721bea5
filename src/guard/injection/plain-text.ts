import { isWithoutWidth } from '../fold-text.ts'

export interface PlainText {
  /** In lower case, Latin letters for their doubles, without what has no width; text that was hidden in tags stands at its end. */
  readonly text: string
  /** Characters without width inside words. */
  readonly invisible: number
  /** Letters of another script inside Latin words. */
  readonly doubles: number
  /** Characters of the block U+E0000, which no reader sees and every model reads. */
  readonly tags: number
  /** Overrides of the writing direction. */
  readonly overrides: number
}

/** Letters of other scripts that look like Latin ones (a part of Unicode's confusables, UTS #39). */
const DOUBLES: ReadonlyMap<number, string> = new Map(
  'аaеeоoрpсcуyхxіiјjѕsԁdһhԛqԝwɡgɑaıiοoαaνvκkιiρpτtυuεeАaВbЕeКkМmНhОoРpСcТtУyХxІiЈjЅsΑaΒbΕeΖzΗhΙiΚkΜmΝnΟoΡpΤtΥyΧx'
    .split('')
    .flatMap((sign, at, all) =>
      at % 2 === 0 ? [[sign.codePointAt(0) as number, all[at + 1] as string] as const] : [],
    ),
)

/** One pass; texts of ASCII are only put into lower case. */
export function plainText(text: string): PlainText {
  if (!/[^\x00-\x7e]/.test(text)) return { text: text.toLowerCase(), invisible: 0, doubles: 0, tags: 0, overrides: 0 }
  let invisible = 0
  let doubles = 0
  let tags = 0
  let overrides = 0
  let plain = ''
  let hidden = ''
  let copied = 0
  // What is as it should be is copied in one piece, up to the next character that is not.
  const replace = (at: number, units: number, by: string): void => {
    plain += text.slice(copied, at) + by
    copied = at + units
  }
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0xad) continue
    if (code === 0xdb40) {
      const low = text.charCodeAt(at + 1)
      if (low >= 0xdc20 && low <= 0xdc7e) {
        tags++
        hidden += String.fromCharCode(low - 0xdc00)
      }
      replace(at, 2, '')
      at++
    } else if (isWithoutWidth(code)) {
      // Direction marks and joiners belong to some scripts; inside Latin words they hide something.
      if (isLatin(text.charCodeAt(at - 1)) && isLatin(text.charCodeAt(at + 1))) invisible++
      if (code === 0x202d || code === 0x202e) overrides++
      replace(at, 1, '')
    } else if (code >= 0xff01 && code <= 0xff5e) replace(at, 1, String.fromCharCode(code - 0xfee0))
    else if (code >= 0x251 && code <= 0x51d && (isLatin(text.charCodeAt(at - 1)) || isLatin(text.charCodeAt(at + 1)))) {
      const double = DOUBLES.get(code)
      if (double === undefined) continue
      doubles++
      replace(at, 1, double)
    }
  }
  plain += text.slice(copied)
  return { text: `${plain}\n${hidden}`.toLowerCase(), invisible, doubles, tags, overrides }
}

function isLatin(code: number): boolean {
  const lower = code | 32
  return lower >= 97 && lower <= 122
}
