/**
 * Words by what they do in a sentence that tries to take a model over. A word alone is nothing; the rules look for two or three of
 * them near each other. English first, then the commonest forms in German, Spanish, French, Italian and Portuguese.
 */
export const OVERRIDE = 1
export const REVEAL = 2
export const RULES = 4
export const EARLIER = 8
export const HIDDEN = 16
export const MODEL = 32
export const SECRET = 64
export const APPROVAL = 128
export const MUST = 256
export const ACT = 512
export const LIMIT = 1024
export const FREE = 2048
export const ROUTE = 4096
export const PRETEND = 8192
export const OWN = 16_384
export const QUIET = 32_768
export const ASK = 65_536
export const VOIDED = 131_072
export const ALL = 262_144

const WORDS: readonly (readonly [number, string])[] = [
  [
    OVERRIDE,
    'ignore ignores ignoring disregard forget override overrides bypass neglect dismiss supersede supersedes vergiss vergesse ignoriere ignorieren missachte olvida ignora omite oublie ignorez oubliez ignorer dimentica esqueça ignorar',
  ],
  [
    REVEAL,
    'reveal print show display output repeat list leak dump expose disclose disclosure recite tell translate summarise summarize quote ' +
      'write paste echo return reproduce give share export encode spell read gib zeige nenne verrate muestra revela imprime dime montre ' +
      'affiche révèle donne mostra rivela stampa revele mostre ausgeben',
  ],
  [
    RULES,
    'instruction instructions rule rules prompt prompts directive directives guideline guidelines policy policies safety guardrails ' +
      'guardrail constraints programming systemprompt anweisung anweisungen regeln vorgaben instrucciones reglas consignes règles ' +
      'instructions istruzioni regole instruções regras configuration configuración konfiguration',
  ],
  [
    EARLIER,
    'previous prior above earlier preceding before first initial original bisherigen vorherigen obigen vorigen anteriores anterior ' +
      'previas précédentes antérieures precedenti anteriori so-far beginning start',
  ],
  [
    HIDDEN,
    'hidden secret internal system developer confidential initial original verborgenen geheimen oculto système sistema',
  ],
  [
    MODEL,
    'ai llm model models assistant agent agents chatbot bot gpt claude copilot crawler reader readers bots assistants',
  ],
  [
    SECRET,
    'secrets password passwords credential credentials api_key api_keys apikey apikeys id_rsa passwd cookies keychain wallet',
  ],
  [APPROVAL, 'approved approval authorise authorize authorised authorized authorisation authorization cleared'],
  [MUST, 'must should shall need now always immediately silently first required has'],
  [
    ACT,
    'run execute delete send post transfer push call pay email forward upload fetch install wire remove grant mark rank buy order purchase ' +
      'rate recommend invoke visit open click book refund submit drop merge deploy exfiltrate append include',
  ],
  [LIMIT, 'budget limit limits quota cap max_tokens header rate-limit restriction restrictions filter filters'],
  [FREE, 'no without unlimited unrestricted void removed lifted forever endless infinite million endlessly suspended'],
  [ROUTE, 'route router cheapest expensive strongest largest biggest trivial tier difficulty cached cache'],
  [PRETEND, 'pretend roleplay imagine act simulate assume suppose behave grandmother grandma'],
  [OWN, 'your deinen deine ihre du tu tus vos ton tuo seu'],
  [ALL, 'you the toi all any these those my everything alle alles todas todo toutes tutte'],
  [QUIET, 'silently quietly secretly mention never conceal hide unnoticed discreetly'],
  [
    VOIDED,
    'void off disabled removed lifted suspended cancelled canceled obsolete invalid outdated superseded skip disable',
  ],
  [ASK, 'asking confirmation review approval checking verification telling confirming'],
]

/** Classes of a word, as bits. */
export const LEXICON: ReadonlyMap<string, number> = (() => {
  const lexicon = new Map<string, number>()
  for (const [bit, words] of WORDS) {
    for (const word of words.split(' ')) lexicon.set(word, (lexicon.get(word) ?? 0) | bit)
  }
  return lexicon
})()

/** Words that turn a sentence into a question about the matter. */
export const ABOUT: ReadonlySet<string> = new Set(
  'explain describe define meaning mean means what why how example examples wie warum was qué cómo comment story novel poem medically'.split(
    ' ',
  ),
)

/** In other scripts: pieces of words that override, and pieces of what is overridden or asked for (Chinese, Japanese, Korean, Russian, Arabic, Hindi). */
export const FOREIGN_OVERRIDE: readonly string[] =
  '忽略 无视 無視 忘记 忘れ 忽視 不要遵守 무시 잊어 игнориру забудь تجاهل انس अनदेखा नज़रअंदाज भूल'.split(' ')
export const FOREIGN_REVEAL: readonly string[] =
  '输出 显示 告诉 出力 表示 教えて 보여 출력 透露 顯示 покажи выведи напечатай раскрой أظهر اطبع اكشف दिखा'.split(' ')
export const FOREIGN_RULES: readonly string[] =
  '指示 指令 规则 規則 提示 設定 설정 지시 규칙 命令 プロンプト 프롬프트 инструкци правил указани промпт التعليمات القواعد الأوامر निर्देश नियम'.split(
    ' ',
  )
