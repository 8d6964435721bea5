import { FIELD_ROWS, type ChatKind, type Fate } from './fields.ts'
import { ENGINE_FIELDS } from './known-fields.ts'

const KINDS: readonly ChatKind[] = ['openai', 'vllm', 'simulated']
const WORDS: Readonly<Record<Fate, string>> = {
  forward: 'forwarded',
  translate: 'translated',
  own: 'read by the gateway',
  drop: 'dropped, named in `x-switchyard-dropped`',
  refuse: 'refused: 400 `unsupported_parameter`',
}

/** The text of `docs/compatibility.md`. */
export function compatibilityPage(): string {
  const rows = FIELD_ROWS.map((row) => {
    const name = ENGINE_FIELDS.includes(row.field) ? `\`${row.field}\` (engines)` : `\`${row.field}\``
    return `| ${name} | ${KINDS.map((kind) => WORDS[row.fate[kind]]).join(' | ')} | ${row.note ?? ''} |`
  })
  return `# Compatibility

This page is printed by \`npm run docs:compatibility -- --write\` from the table that the code obeys (\`src/protocol/openai-chat/fields.ts\`); a test keeps it true.

## \`POST /v1/chat/completions\`: what becomes of each field

| field | kind \`openai\` | kind \`vllm\` | kind \`simulated\` | note |
|---|---|---|---|---|
${rows.join('\n')}

Unknown fields are left out, named in \`x-switchyard-dropped\` and counted (\`keys[].compat.unknownFields: refuse\` refuses them). Always refused with \`param\`: names
within two edits of a known field, and fields that would steer an upstream (\`chat_template\`, \`guided_*\`, \`api_base\`, \`base_url\`, \`best_of\`, \`ignore_eos\`, \`priority\`, …).
An operator may let single ones through (\`upstreams.X.passFields\`) or send fixed ones (\`models.X.extraBody\`).

Inside messages everything that servers return is accepted back: \`reasoning_content\`, \`reasoning\`, \`annotations\`, \`refusal\`, \`audio\`, \`function_call\`, \`parsed\` and nulls.
Image addresses must be public http(s) addresses or base64 data of a PNG, JPEG, WebP or GIF; private, link-local and disguised ones are refused and never forwarded.
`
}
