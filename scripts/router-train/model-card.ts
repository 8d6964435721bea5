/** The page that stands beside the weights: what they learned from, what they are worth, what they are not. */
import { HEAD_CHARS, TAIL_CHARS } from '../../src/routing/features.ts'
import type { Line, SetFigures } from './evaluate.ts'
import { FOLDS } from './evaluate.ts'
import { SETTINGS } from './train-head.ts'

export interface CardFacts {
  readonly sets: readonly SetFigures[]
  readonly mixed: SetFigures
  readonly machine: string
  readonly weightsSha256: string
  readonly scoreQuantiles: readonly number[]
}

/** Per set: pair of models, and origin with licence as the data's own README gives them. */
const ORIGINS: Readonly<Record<string, { readonly pair: string; readonly origin: string }>> = {
  routellm_mmlu: {
    pair: 'mixtral-8x7b-instruct → gpt-4-1106-preview',
    origin: 'lm-sys/RouteLLM 0b64fda, Apache-2.0 (MMLU: MIT)',
  },
  routellm_gsm8k: {
    pair: 'mixtral-8x7b-instruct → gpt-4-1106-preview',
    origin: 'lm-sys/RouteLLM 0b64fda, Apache-2.0 (GSM8K: MIT)',
  },
  mmlu_pro: {
    pair: 'llama-3.1-8b-instruct → gemini-1.5-pro-002',
    origin: 'TIGER-AI-Lab/MMLU-Pro f418b11, Apache-2.0 (questions: MIT)',
  },
  zeroeval_gsm8k: {
    pair: 'llama-3.1-8b-instruct → claude-3.5-sonnet-20241022',
    origin: 'WildEval/ZeroEval 8c1485e, Apache-2.0 (GSM8K: MIT)',
  },
  zeroeval_math_l5: {
    pair: 'llama-3.1-8b-instruct → claude-3.5-sonnet-20241022',
    origin: 'WildEval/ZeroEval 8c1485e, Apache-2.0 (MATH: MIT)',
  },
  routerbench_subset: {
    pair: 'mixtral-8x7b-chat → gpt-4-1106-preview',
    origin:
      'RouterBench (MIT) as copied in shuhao02/RouterDC 0e63989 (no licence file); ARC: CC BY-SA 4.0, MBPP: CC BY 4.0',
  },
  fusionbench: {
    pair: 'llama-3.1-8b-instruct → llama-3.1-nemotron-51b-instruct',
    origin: 'ulab-uiuc/LLMRouter 4e7a796, MIT',
  },
  bfcl_v1: {
    pair: 'llama-3-8b-instruct → claude-3.5-sonnet-20240620',
    origin:
      'outcomes HuanzhiMao/BFCL-Result b4adfc9 (no licence file: only pass/fail bits), prompts ShishirPatil/gorilla 6ea5797, Apache-2.0',
  },
}

export function modelCard({ sets, mixed, machine, weightsSha256, scoreQuantiles }: CardFacts): string {
  return `# First router

A linear head over hashed word 1–2-grams (16,384 buckets) and 18 counts of a request. It predicts how likely
the big model answers **better** than the small one, which is not how hard the request is: what neither can do is not worth sending up.
\`src/routing/\` computes the features, \`npm run router:train\` makes these files and prints these figures.

## Figures

${FOLDS}-fold cross-validation by question stem over ${mixed.rows} recorded outcomes: a question, in whichever sets it occurs, is on one side only.
Score of ${FOLDS} folds together; "±" is the standard deviation of APGR over the folds. "Chance ±" is the standard deviation of APGR of
random orders around 0.500: a smaller difference means nothing. Definitions of APGR and CPT as in RouteLLM (arXiv 2406.18665), exact form.
Random has AUC 0.500, APGR 0.500, CPT50 50 %, CPT80 80 %.

| set | n | small / big right | AUC gain > 0 | AUC gain sign | APGR | CPT50 | CPT80 | chance ± | length alone: AUC / APGR / CPT50 / CPT80 |
|---|---|---|---|---|---|---|---|---|---|
${[...sets, mixed].map(mainRow).join('\n')}

"AUC gain > 0": the big model was better, against everything else; "AUC gain sign": better against worse, ties left out.
Sets on which prompt length alone has the higher APGR: ${lengthWins(sets)}.
On fusionbench the gap between the two models is too small for APGR and CPT to say much.

**Traffic of a kind it never saw** (trained on the other sets, without any question of this one):

| set | AUC gain > 0 | APGR | CPT50 | CPT80 |
|---|---|---|---|---|
${sets.map(unseenRow).join('\n')}

Read the second table before trusting the first: on unknown traffic this head is worth little, as every published prompt-only router.
That is why a share of big calls is held by rank (\`targetBigShare\`) and never by a fixed score.

## How it was made

Target: gain = quality(big) − quality(small), less the mean gain of its family of pairs (below), so that no recorded pair's base rate decides;
${Math.round(SETTINGS.groupShare * 100)} % of it from groups of models as strong as the pair (±0.12). Ridge regression (penalty ${SETTINGS.penalty}, sets weighted by rows^${1 - SETTINGS.setBalance}), ${SETTINGS.iterations} steps of
conjugate gradients; no random numbers, so the same data gives the same bytes. Weights rounded to 16 bits. Platt scaling on the
out-of-fold sums turns a sum into the score. The few settings were compared with the same cross-validation, among about a dozen tried;
differences between them were below 0.01 APGR on average, so the figures flatter the head a little. Taking each set's own mean gain
off instead of its family's was also tried: better inside some sets (MATH by 0.025 APGR), worse over all together (by 0.015).
Quantiles of the score over the training rows, 10 / 50 / 90 %: ${scoreQuantiles.map((value) => value.toFixed(3)).join(' / ')}.

Machine: ${machine}. Weights SHA-256: \`${weightsSha256}\`. Decision time: \`node scripts/router-speed.ts\`.

## Data

The sets of one big model family are comparable: mixtral → gpt-4 (3 sets), llama-3.1-8b → a hosted model of 2024 (3 sets), the other two alone.

| set | pair (small → big) | origin, licence |
|---|---|---|
${sets.map(({ set }) => `| ${set} | ${ORIGINS[set]?.pair ?? '?'} | ${ORIGINS[set]?.origin ?? '?'} |`).join('\n')}

The weights hold sums over hashed n-grams, no text. About a quarter of each set was held back by the data's own split and never seen.

## Limits

- Single-turn academic and tool-calling prompts, English, models of 2023–24. The counts of history, system prompt, tool results and
  output schemas never vary in the data, so their weights are 0: the head does not see them yet.
- One head for all pairs. The pair you run is another one; the order of requests carries over better than the score's height.
- Only the first ${HEAD_CHARS} and last ${TAIL_CHARS} characters of the last user message are read.
`
}

function lengthWins(sets: readonly SetFigures[]): string {
  const names = sets.filter(({ head, length }) => length.apgr > head.apgr).map(({ set }) => set)
  return names.length === 0 ? 'none' : names.join(', ')
}

function mainRow(set: SetFigures): string {
  const { head, length } = set
  return `| ${set.set} | ${set.rows} | ${set.small.toFixed(3)} / ${set.big.toFixed(3)} | ${head.aucGain.toFixed(3)} | ${head.aucSign.toFixed(3)} | ${head.apgr.toFixed(3)} ± ${set.foldSpread.toFixed(3)} | ${percent(head.cpt50)} | ${percent(head.cpt80)} | ${set.chanceSpread.toFixed(3)} | ${length.aucGain.toFixed(3)} / ${length.apgr.toFixed(3)} / ${percent(length.cpt50)} / ${percent(length.cpt80)} |`
}

function unseenRow({ set, unseen }: { readonly set: string; readonly unseen: Line }): string {
  return `| ${set} | ${unseen.aucGain.toFixed(3)} | ${unseen.apgr.toFixed(3)} | ${percent(unseen.cpt50)} | ${percent(unseen.cpt80)} |`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
