import { BUILT_IN_INTENTS } from '../../src/shared/intent-names.ts'

/** How a sentence that was left out of the training was read; intents by number. */
export interface IntentFigures {
  readonly intent: number
  readonly plain: number
  readonly encoded: number
  readonly isPlainOther: boolean
  readonly isEncodedOther: boolean
}

export interface CardSources {
  readonly examples: string
  readonly bin: string
  readonly encoder: string
}

/** The model card of the built-in intents. */
export function intentCard(judged: readonly IntentFigures[], { examples, bin, encoder }: CardSources): string {
  const share = (rows: readonly IntentFigures[], is: (row: IntentFigures) => boolean): string =>
    (rows.filter(is).length / Math.max(1, rows.length)).toFixed(2)
  const row = (name: string, rows: readonly IntentFigures[]): string =>
    `| ${name} | ${rows.length} | ${share(rows, (each) => each.plain === each.intent)} | ${share(rows, (each) => each.isPlainOther)} | ${share(rows, (each) => each.encoded === each.intent)} | ${share(rows, (each) => each.isEncodedOther)} |`
  return `# Built-in intents

What agents and people ask, in ${BUILT_IN_INTENTS.length} classes and \`other\`. Made by \`npm run intent:train\` from \`intents/examples.yaml\`, sentences written for this
project (its licence), nothing else. Two multinomial logistic regressions, one on words, pairs of words and counts, one on the encoder's vector; what
the shape of a request says (tools, output schema, fences, options, length) is added by the rules in \`src/routing/intent/structure.ts\`.

| file | SHA-256 |
| --- | --- |
| \`intents/examples.yaml\` | \`${examples}\` |
| \`intents/builtin.bin\` | \`${bin}\` |
| encoder that made the vectors | \`${encoder}\` |

## Figures

Cross-validated over the sentences, 5 folds; "other" = share below the least probability. Sentences stand alone here: without tools, schema
or material, which tell most where they are there. Without the encoder an intent is a hint; rules by built-in intents are better with it.

| intent | sentences | accuracy, words and counts | other | accuracy, with encoder | other |
| --- | --- | --- | --- | --- | --- |
${BUILT_IN_INTENTS.map((name, intent) =>
  row(
    name,
    judged.filter((each) => each.intent === intent),
  ),
).join('\n')}
${row('**all**', judged)}

## Limits

Few sentences for each class, mostly English; the classes meet at their edges (planning of code, questions on data). \`npm run bench:intent\`
shows what recorded prompts of known kinds are taken for.
`
}
