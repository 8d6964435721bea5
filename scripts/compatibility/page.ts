import { MESSAGES_FIELD_ROWS } from '../../src/protocol/anthropic-messages/fields.ts'
import { FIELD_ROWS, type ChatKind, type Fate } from '../../src/protocol/openai-chat/fields.ts'
import { ENGINE_FIELDS } from '../../src/protocol/openai-chat/known-fields.ts'
import { MOVED_FIELDS, RESPONSES_FIELDS } from '../../src/protocol/openai-responses/fields.ts'
import { ANTHROPIC_FIELDS } from '../../src/upstream/anthropic/fields.ts'
import { GOOGLE_FIELDS } from '../../src/upstream/google/fields.ts'
import { TGI_FIELDS } from '../../src/upstream/tgi/fields.ts'
import { matrixSection } from './matrix/table.ts'

const CHAT_KINDS: readonly ChatKind[] = ['openai', 'vllm', 'simulated']
const WORDS: Readonly<Record<Fate | 'carry', string>> = {
  forward: 'forwarded',
  carry: 'forwarded',
  translate: 'translated',
  own: 'read here',
  drop: 'dropped',
  refuse: 'refused',
}

interface Row {
  readonly field: string
  readonly note?: string
}

/** The text of `docs/compatibility.md`. */
export function compatibilityPage(): string {
  return `# Compatibility

This page is printed by \`npm run docs:compatibility -- --write\` from the tables that the code obeys (\`fields.ts\` beside each dialect in \`src/protocol\` and each adapter in \`src/upstream\`); a test keeps it true.

**forwarded**: sent as it came. **translated**: sent in another form. **read here**: used by the gateway, never sent as it came. **dropped**: left out and named in the header \`x-switchyard-dropped\`, as its
loss changes no meaning. **refused**: 400 \`unsupported_parameter\` with \`param\`. Every dialect works with every kind of upstream: a field goes through the table of its dialect first, and what it means through the table of the upstream's kind then.

## What works between which API and which provider

Found by running the code that decides it: a request of each API that asks for the capability, and an answer of each provider that shows it, go through the dialect and the adapter
(\`scripts/compatibility/matrix\`); \`test/conformance/matrix.test.ts\` runs every cell over HTTP. **works**: the same words on both sides. **translated**: other words for the same meaning, and where they stand.
**left out, named**: it changes no meaning, and \`x-switchyard-dropped\` names it; what else was named on the way stands behind \`named\`. **refused**: 400, and nothing is sent.

${matrixSection()}
## \`POST /v1/chat/completions\`: what becomes of each field

| field | ${[...CHAT_KINDS, 'anthropic', 'google', 'tgi', 'tgi, native'].map((kind) => `\`${kind}\``).join(' | ')} | note |
|---|${'---|'.repeat(7)}---|
${FIELD_ROWS.map(chatRow).join('\n')}

Unknown fields are left out, named in \`x-switchyard-dropped\` and counted (\`keys[].compat.unknownFields: refuse\` refuses them). Always refused with \`param\`: names
within two edits of a known field, and fields that would steer an upstream (\`chat_template\`, \`guided_*\`, \`api_base\`, \`base_url\`, \`best_of\`, \`ignore_eos\`, \`priority\`, …).
An operator may let single ones through (\`upstreams.X.passFields\`) or send fixed ones (\`models.X.extraBody\`).

Inside messages everything that servers return is accepted back: \`reasoning_content\`, \`reasoning\`, \`annotations\`, \`refusal\`, \`audio\`, \`function_call\`, \`parsed\` and nulls.
Image addresses must be public http(s) addresses or base64 data of a PNG, JPEG, WebP or GIF; private, link-local and disguised ones are refused and never forwarded.

### Kind \`anthropic\`

${notes(ANTHROPIC_FIELDS)}

### Kind \`google\`

${notes(GOOGLE_FIELDS)}

### Kind \`tgi\`

${notes(TGI_FIELDS)}

## \`POST /v1/messages\`: what becomes of each field

${table(MESSAGES_FIELD_ROWS)}

## \`POST /v1/responses\`: what becomes of each field

${table(RESPONSES_FIELDS)}

Fields of chat completions are refused with a hint: ${[...MOVED_FIELDS].map(([field, other]) => (other === undefined ? `\`${field}\`` : `\`${field}\` (\`${other}\`)`)).join(', ')}.
`
}

function chatRow(row: (typeof FIELD_ROWS)[number]): string {
  const name = ENGINE_FIELDS.includes(row.field) ? `\`${row.field}\` (engines)` : `\`${row.field}\``
  const tgi = rowOf(TGI_FIELDS, row.field)
  const fates = [
    ...CHAT_KINDS.map((kind) => row.fate[kind]),
    rowOf(ANTHROPIC_FIELDS, row.field).fate,
    rowOf(GOOGLE_FIELDS, row.field).fate,
    tgi.fate.chat,
    tgi.fate.generate,
  ]
  return `| ${name} | ${fates.map((fate) => WORDS[fate]).join(' | ')} | ${row.note ?? ''} |`
}

/** Throws where an adapter has forgotten a field. */
function rowOf<Found extends Row>(rows: readonly Found[], field: string): Found {
  const found = rows.find((row) => row.field === field)
  if (found === undefined) throw new Error(`There is no row for ${field}.`)
  return found
}

/** What a kind does with fields beyond the word in the table. */
function notes(rows: readonly Row[]): string {
  return rows.flatMap(({ field, note }) => (note === undefined ? [] : [`- \`${field}\`: ${note}`])).join('\n')
}

function table(rows: readonly (Row & { readonly fate: Fate | 'carry' })[]): string {
  return `| field | fate | note |
|---|---|---|
${rows.map(({ field, fate, note }) => `| \`${field}\` | ${WORDS[fate]} | ${note ?? ''} |`).join('\n')}`
}
