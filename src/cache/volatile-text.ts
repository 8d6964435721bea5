/**
 * Questions whose right answer depends on when or by whom they are asked. Words and short phrases in English, German, French and
 * Spanish; a text in another language is not recognised, for which the time of life of an entry is the bound.
 */
// Without the flag `u`, whose word boundaries would make a search of a kilobyte cost more than its hash.
const TIME =
  /\b(?:now|today|tonight|tomorrow|yesterday|currently|latest|newest|recent(?:ly)?|nowadays|current (?!directory\b|line\b|file\b|function\b|element\b|working\b)[a-z]+|what (?:time|day|date)|this (?:week|month|year|morning|evening|afternoon)|last (?:night|week|month|year)|(?:minute|hour|day)s? ago|weather|heute|jetzt|morgen|gestern|derzeit|momentan|aktuell[a-z]*|neueste[nrs]?|wie spät|wetter|aujourd.hui|maintenant|demain|hier|actuellement|météo|quelle heure|hoy|ahora|mañana|ayer|actualmente|qué hora)\b/i
const PERSONAL =
  /\b(?:(?:my|our) (?:[a-z]+ )?(?:account|balance|orders?|invoices?|subscription|inbox|e-?mails?|messages?|calendar|appointments?|meetings?|profile|address|password|salary|flights?|bookings?|tickets?|name|age|plan)|for me|did i|have i|am i|who am i|about me|mein(?:e[nmr]?)? (?:konto|kontostand|bestellung(?:en)?|rechnung(?:en)?|termine?|nachrichten|e-?mails?|name)|mon compte|mes (?:commandes|messages)|mi cuenta|mis (?:pedidos|mensajes))\b/i

/** Longest text that is read whole; of a longer one the question stands at its beginning or end, and between them is what it is about. */
const WHOLE = 400
const EDGE = 200

/** Undefined = the text asks for nothing of the kind. */
export function volatility(text: string): 'time-dependent' | 'personal' | undefined {
  const asked = text.length <= WHOLE ? text : `${text.slice(0, EDGE)}\n${text.slice(-EDGE)}`
  if (TIME.test(asked)) return 'time-dependent'
  return PERSONAL.test(asked) ? 'personal' : undefined
}
