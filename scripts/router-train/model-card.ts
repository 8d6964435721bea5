/** The page that stands beside the weights: what they learned from, what they are worth, what they are not. */
import { HEAD_CHARS, TAIL_CHARS } from '../../src/routing/features.ts'
import { KINDS } from '../../src/routing/kind.ts'
import { FOLDS, GENERAL_SETTINGS, SETTINGS } from './fit-expert.ts'
import type { OutcomeFile } from './outcome-sets.ts'
import { GROUP_SHARE, OWN_ROWS, type HeadTrainer } from './train-heads.ts'

export interface CardSet {
  readonly file: OutcomeFile
  readonly pair: string
  readonly rows: number
  /** APGR of prompt length, of the heads cross-validated, and of heads that saw no row of the set. */
  readonly length: number
  readonly plain: number
  readonly encoded: number
  readonly unseen: { readonly plain: number; readonly encoded: number } | undefined
}

/** Origin and licence, as the data's own README gives them. */
const ORIGINS: Readonly<Record<string, string>> = {
  routellm_mmlu: 'lm-sys/RouteLLM 0b64fda, Apache-2.0 (MMLU: MIT)',
  routellm_gsm8k: 'lm-sys/RouteLLM 0b64fda, Apache-2.0 (GSM8K: MIT)',
  mmlu_pro: 'TIGER-AI-Lab/MMLU-Pro f418b11, Apache-2.0 (questions: MIT)',
  zeroeval_gsm8k: 'WildEval/ZeroEval 8c1485e, Apache-2.0 (GSM8K: MIT)',
  zeroeval_math_l5: 'WildEval/ZeroEval 8c1485e, Apache-2.0 (MATH: MIT)',
  routerbench_subset:
    'RouterBench (MIT) as copied in shuhao02/RouterDC 0e63989 (no licence file); ARC: CC BY-SA 4.0, MBPP: CC BY 4.0',
  fusionbench: 'ulab-uiuc/LLMRouter 4e7a796, MIT',
  bfcl_v1:
    'outcomes HuanzhiMao/BFCL-Result b4adfc9 (no licence file: only pass/fail bits), prompts ShishirPatil/gorilla 6ea5797, Apache-2.0',
  mcpmark: 'eval-sys/mcpmark-experiments 8f674f0 (results: no licence file), tasks eval-sys/mcpmark, Apache-2.0',
}

export function modelCard(sets: readonly CardSet[], trainer: HeadTrainer, sha256: string, bytes: number): string {
  const pairs = [...trainer.pairGains]
  const experts = pairs.flatMap(([pair, gain]) => {
    const kinds = KINDS.flatMap((kind) => {
      const own = trainer.own(pair, kind)
      return own === undefined ? [] : [`${kind} (${own.lesson.use.length})`]
    })
    return [`| ${pair} | ${gain.toFixed(3)} | ${kinds.length === 0 ? 'none' : kinds.join(', ')} |`]
  })
  return `# Gain heads

Small models that predict quality(big) − quality(small) of a request, for each recorded pair of models and each kind of request
(${KINDS.join(', ')}). An expert adds a ridge regression over hashed word 1–2-grams, one over counts of text, tools and history, shallow
boosted trees over the same counts and, where the encoder's vector is there, a ridge regression over it. \`src/routing/\` computes the
features, \`npm run router:train\` makes these files. Apache-2.0 like the rest of the repository; they hold sums over hashed n-grams, no text.

## Figures

APGR as in RouteLLM (arXiv 2406.18665), exact form; random is 0.500. Cross-validated: ${FOLDS} folds by question, learners and mixture saw
neither the row nor its question. Unseen: trained on the other sets without any question of this one. Fusionbench's gap (0.05) is too small
for APGR to say much; standard errors and more lines: \`npm run bench:router\`.

| set | n | prompt length | cross-validated | with encoder | unseen set | unseen, with encoder |
|---|---|---|---|---|---|---|
${sets.map(figures).join('\n')}

## Experts

A pair has its own expert for a kind from ${OWN_ROWS} rows on; else that of all pairs together speaks, moved by the pair's mean gain. That one is held
back on purpose: no trees, penalties ten times as high, learned from gains less the mean of their set, and silent (one gain for all) about
asks longer than is read and about tools that it has no outcomes of. So it does little harm where it knows little. A pair that is
not recorded is judged as the nearest one by strength (\`strengths\` in the description; small and big together at most 0.35 apart), else
by the experts of all pairs together.

| pair | mean gain | own experts (rows) |
|---|---|---|
${experts.join('\n')}

## How it was made

Target: the pair's own gain, ${Math.round(GROUP_SHARE * 100)} % of it from groups of models about as strong (±0.12). Ridge penalties ${SETTINGS.wordPenalty} (n-grams),
${SETTINGS.countPenalty} (counts), ${SETTINGS.encoderPenalty} (encoder), for all pairs together ${GENERAL_SETTINGS.wordPenalty}, ${GENERAL_SETTINGS.countPenalty} and ${GENERAL_SETTINGS.encoderPenalty}; ${SETTINGS.iterations} steps of conjugate gradients; ${SETTINGS.trees} trees of depth ${SETTINGS.depth}, rate ${SETTINGS.rate}. The learners are added by non-negative least squares on
their predictions for unseen rows. No random numbers: the same data gives the same bytes. Settings were compared by the same
cross-validation, about ten tried, so the figures flatter the heads by about 0.005. The expert of all pairs together was chosen among
about twenty forms by leaving one set out: the figures for unseen sets flatter by about 0.01.

Weights: ${(bytes / 1e6).toFixed(2)} MB, SHA-256 \`${sha256}\`.

## Data

Label budget: every row below. About a quarter of each set was held back by the data's own split and never seen.

| file | SHA-256 | rows used | pair | origin, licence |
|---|---|---|---|---|
${sets.map(({ file, rows, pair }) => `| ${file.name} | \`${file.sha256}\` | ${rows} | ${pair} | ${ORIGINS[file.set] ?? '?'} |`).join('\n')}

## Limits

- Single-turn academic and tool-calling prompts, mostly English, models of 2023–25. Counts of history, system prompt and output
  schemas hardly vary in the data, so they carry no weight yet.
- On kinds of traffic unlike the data it is worth little, as every published prompt-only router; that is why a share of big calls is held by
  rank and never by a fixed score.
- Only the first ${HEAD_CHARS} and last ${TAIL_CHARS} characters of the last user message are read, and the first 64 tools.
`
}

function figures({ file, rows, length, plain, encoded, unseen }: CardSet): string {
  const cells = [length, plain, encoded, unseen?.plain, unseen?.encoded]
  return `| ${file.set} | ${rows} | ${cells.map((value) => value?.toFixed(3) ?? '–').join(' | ')} |`
}
