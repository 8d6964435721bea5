/** Words that say what kind of thinking a request asks for, found by their hash while a text is read once. */

/** FNV-1a's 32-bit offset and prime (draft-eastlake-fnv, section 5). */
export const HASH_SEED = 0x811c9dc5
export const FNV_PRIME = 0x01000193

/** Classes in the order of their numbers; a word is in one of them at most. */
export const WORD_CLASSES = {
  negation: 'not no never none except without neither nor least false incorrect cannot dont doesnt isnt wont cant',
  quantity:
    'half twice double triple quarter third dozen total sum difference product average mean percent percentage ratio rate each every per times remaining left altogether many much spend spent cost costs price earn earns paid pay week weeks hour hours minute minutes day days year years month months miles feet inches dollars cents pounds',
  comparison: 'more less fewer greater larger smaller than most highest lowest largest smallest best increase decrease',
  condition: 'if then suppose assume given let such where when unless provided therefore hence because since while',
  proof:
    'prove proof show derive theorem lemma group ring field integer integers real matrix vector continuous polynomial equation integral derivative probability',
  asking: 'why how what which who whom whose',
  naming: 'name list define called known term refers located capital',
  code: 'code function def return print python javascript java sql class array string program algorithm implement assert input output loop variable html css regex bug debug compile api',
  writing:
    'write story poem essay email letter blog rewrite paraphrase summarize summarise translate draft speech song describe imagine creative article post tweet title headline',
  person: 'i me my you your he she his her him they their we our us',
  law: 'court plaintiff defendant statute law contract liable liability evidence jury judge state federal constitutional property tort crime action',
  statement: 'statement scenario following true correct argument claim conclusion',
  and: 'and also both then',
} as const

export type WordClass = keyof typeof WORD_CLASSES
export const CLASS_NAMES = Object.keys(WORD_CLASSES) as readonly WordClass[]

/** A power of two some times larger than the number of words, so that few of them meet. */
const SLOTS = 2048
const HASHES = new Int32Array(SLOTS)
/** Number of the class + 1; 0 = free. */
const CLASSES = new Uint8Array(SLOTS)

for (const [index, name] of CLASS_NAMES.entries()) {
  for (const word of WORD_CLASSES[name].split(' ')) {
    let hash = HASH_SEED
    for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), FNV_PRIME)
    let slot = slotOf(hash)
    while (CLASSES[slot] !== 0 && HASHES[slot] !== hash) slot = (slot + 1) & (SLOTS - 1)
    if (CLASSES[slot] !== 0) continue
    HASHES[slot] = hash
    CLASSES[slot] = index + 1
  }
}

/** Number of the class of the word with this hash (FNV-1a over its lower-case letters and digits), or -1. */
export function classOf(hash: number): number {
  let slot = slotOf(hash)
  while (CLASSES[slot] !== 0) {
    if (HASHES[slot] === hash) return (CLASSES[slot] as number) - 1
    slot = (slot + 1) & (SLOTS - 1)
  }
  return -1
}

function slotOf(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 21
}
