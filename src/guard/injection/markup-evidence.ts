import { note, type Evidence, type InjectionReason } from './evidence.ts'

/**
 * Fixed forms, each looked for once in the lower-case text. Every gap is bounded, and what may repeat without bound is one class of
 * characters that the next piece does not begin with.
 */
const FORMS: readonly (readonly [InjectionReason, number, RegExp])[] = [
  // Marks of chat templates (ChatML, Llama, Mistral), of tool transcripts and of role lines.
  [
    'fakes-a-turn',
    0.8,
    /<\|(?:im_start|im_end|endoftext|system|user|assistant|begin_of_text|start_header_id|eot_id)\|?>|\[\/?inst\]|<<\/?sys>>/,
  ],
  [
    'fakes-a-turn',
    0.7,
    /<\/?(?:system|tool_result|tool_response|function_results?|tool_output)>|```(?:system|developer)\b/,
  ],
  ['fakes-a-turn', 0.6, /"role"\s{0,8}:\s{0,8}"(?:system|developer)"|"tool_calls"\s{0,8}:\s{0,8}\[/],
  [
    'fakes-a-turn',
    0.55,
    /(?:^|\n)[ \t]{0,8}(?:#{1,4} )?(?:system|developer|admin)(?: message| prompt| override)?[ \t]{0,2}:/,
  ],
  ['addresses-the-model', 0.6, /<!--[^>]{0,120}?\b(?:agent|assistant|llm|ai|model|ignore|instruction)\b/],
  [
    'addresses-the-model',
    0.55,
    /\b(?:note|important|attention|message|instructions?)(?: note)? (?:for|to) (?:the |any |all )?(?:ai|llm|agents?|assistants?|models?|language)\b/,
  ],
  [
    'hides-from-the-user',
    0.55,
    /\b(?:never|do not|don't|without) (?:mention|tell|inform|telling|informing|reveal|show)\w{0,3} (?:this|it|that|the user|anyone|anybody|him|her)\b/,
  ],
  ['hides-from-the-user', 0.5, /\bwhite[- ]on[- ]white\b|\bhidden text\b|font-size: ?0|display: ?none/],
  // Roles and modes.
  [
    'changes-role',
    0.55,
    /\byou are (?:now )?(?:in )?(?:a )?(?:maintenance|developer|debug|god|admin|dan|root|unrestricted|jailbr\w{2,8}|test)\b/,
  ],
  [
    'changes-role',
    0.5,
    /\b(?:from now on|you are now|you are no longer|new (?:policy|instructions|rules?|persona|role) ?:)/,
  ],
  ['changes-role', 0.5, /\bdo anything now\b|\bstay in character\b|\b(?:enable|enter|activate) \w{1,16} mode\b/],
  // Asking for what was said before, to this or to another caller.
  [
    'asks-for-instructions',
    0.6,
    /\b(?:instructions?|prompt|rules) (?:that )?you (?:got|were given|have|received|follow|started)\b/,
  ],
  [
    'asks-for-instructions',
    0.6,
    /\b(?:repeat|print|show|output|copy|reveal|echo|return|recite|translate|encode)\b[^.\n]{0,30}\b(?:text|everything|words|all|content|lines?) (?:above|before)\b/,
  ],
  [
    'asks-for-secrets',
    0.55,
    /\b(?:previous|other|another|last) (?:user|customer|tenant|caller)s?\b(?:'s)? (?:\w{1,12} )?(?:ask|said|say|asked|prompt|conversation|data|chat)/,
  ],
  [
    'asks-for-secrets',
    0.55,
    /~\/\.(?:ssh|aws|netrc|kube)|\bid_(?:rsa|ed25519)\b|\/etc\/(?:passwd|shadow)|\.aws\/credentials|\b(?:read|cat|send|upload|open)\b[^\n]{0,30}\.env\b/,
  ],
  [
    'asks-for-secrets',
    0.45,
    /\b(?:read|tell|show|give|print|list|reveal|share)\b[^.\n]{0,40}\b(?:api[ _-]?keys?|passwords?|secrets|credentials)\b/,
  ],
  [
    'claims-approval',
    0.6,
    /\b(?:pre-?)?(?:approved|authori[sz]ed) by (?:an? |the |our )?(?:admin|administrator|user|owner|manager|finance|security|legal|operator|system|developer|human)\b|\b(?:approve|authori[sz]e) (?:all|any|every|everything)\b/,
  ],
  [
    'claims-approval',
    0.45,
    /\b(?:re-?submit|re-?send|replay|reuse) (?:it|this|that|the same|with)\b|\bskip (?:the )?(?:review|approval|checks?|confirmation|verification)\b/,
  ],
  // The gateway's own business.
  [
    'steers-the-gateway',
    0.6,
    /\b(?:most (?:expensive|powerful)|best|biggest|largest|strongest|frontier) model\b|<\/?(?:route|difficulty|model|tier|router)>/,
  ],
  [
    'steers-the-gateway',
    0.55,
    /\b(?:classify|treat|mark|label|route|rate|score) (?:this|it|the request|me)(?: request| prompt| query)? (?:as|to) (?:trivial|easy|simple|hard|complex|difficult|local|small|big|cheap)\b/,
  ],
  ['lifts-a-limit', 0.3, /\b(?:call|search|retry|repeat|loop|keep|continue)\b[^.\n]{0,40}\b(?:until|forever)\b/],
  ['lifts-a-limit', 0.3, /\b(?:forever|endlessly|infinitely|a million times|without (?:end|stopping|limits?))\b/],
  [
    'lifts-a-limit',
    0.5,
    /\b(?:budget|limit|quota)\b[^.\n]{0,30}\b(?:is a test|does not apply|is wrong|can be ignored)\b/,
  ],
  [
    'steers-the-gateway',
    0.5,
    /\b(?:remember|store|save|cache|keep)\b[^.\n]{0,40}\b(?:for (?:all|every|other|future)|everyone|all users|other users)\b/,
  ],
  [
    'steers-the-gateway',
    0.35,
    /\bx-(?:task|switchyard|budget|tenant|route)-?[a-z-]{0,30}\b|\b(?:as|to|for) (?:the )?(?:tenant|admin|root)\b/,
  ],
  [
    'lifts-a-limit',
    0.4,
    /\b(?:set|raise|increase|change|double|reset|remove|lift)\b[^.\n]{0,20}\b(?:budget|spending limit|quota|max_tokens|max tool calls)\b/,
  ],
  ['asks-for-instructions', 0.25, /\b(?:system|developer|hidden|initial) (?:prompt|message|instructions?)\b/],
  // Ways out: pictures and links with data in their address, formulas, shells fed from the network.
  [
    'sends-data-out',
    0.65,
    /!\[[^\]\n]{0,80}\]\([^)\s]{1,200}\?[^)\s=]{0,40}=|<(?:img|iframe|script|link)\s[^>]{0,120}?(?:src|href)\s{0,2}=\s{0,2}["']?(?:https?:)?\/\//,
  ],
  [
    'sends-data-out',
    0.65,
    /=\s{0,2}(?:hyperlink|importxml|importdata|webservice|image)\s{0,2}\(|\b(?:curl|wget)\b[^\n|]{0,120}\|\s{0,4}(?:sudo )?(?:ba|z|da)?sh\b/,
  ],
  ['sends-data-out', 0.35, /\b(?:send|post|forward|upload|exfiltrate|append)\b[^.\n]{0,60}\bhttps?:\/\//],
  ['sends-data-out', 0.4, /\bfirst call \w{1,40}\b|\balso (?:read|send|call|include|fetch|forward)\b/],
  // Obeying what only comes later.
  [
    'encoded',
    0.6,
    /\b(?:decode|decrypt|unscramble|deobfuscate|translate)[^.\n]{0,24} and (?:obey|follow|execute|run|do|comply)\b|\b(?:do|obey|follow|execute) what \w{1,20} (?:says|say|tells)\b/,
  ],
]

const SHOTS = /(?:^|\n)[ \t]{0,4}(?:q|user|human|question|prompt) ?\d{0,4}:/g
/** Examples of questions and answers from which a text counts as a conversation that was made up. */
const SHOTS_LEAST = 8

export function markupEvidence(text: string, evidence: Evidence): void {
  for (const [reason, weight, form] of FORMS) {
    if ((evidence.get(reason) ?? 0) < weight && form.test(text)) note(evidence, reason, weight)
  }
  if (text.includes(':')) {
    let shots = 0
    for (const match of text.matchAll(SHOTS)) if (match.index >= 0 && ++shots >= SHOTS_LEAST) break
    if (shots >= SHOTS_LEAST) note(evidence, 'many-examples', 0.5)
  }
}
