/** What agents and people ask for; a closed set, since it is a label of metrics. Examples: `router-models/intents/examples.yaml`. */
export const BUILT_IN_INTENTS = [
  'code_edit',
  'code_question',
  'data_query',
  'maths',
  'reasoning',
  'factual_question',
  'long_context_question',
  'extraction',
  'summarise',
  'translate',
  'classify',
  'rewrite',
  'creative_writing',
  'planning',
  'tool_use',
  'chat',
] as const
export type BuiltInIntent = (typeof BUILT_IN_INTENTS)[number]

/** What is none of them, or cannot be told. */
export const OTHER_INTENT = 'other'
