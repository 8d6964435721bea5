import type { Results } from './results.ts'
import { DIALECTS, type Dialect, type Row } from './row.ts'

const NAMES: Readonly<Record<string, string>> = { switchyard: 'Switchyard', portkey: 'Portkey', litellm: 'LiteLLM' }

const APIS: Readonly<Record<Dialect, string>> = {
  chat: '/v1/chat/completions',
  responses: '/v1/responses',
  messages: '/v1/messages',
}

/** The text of docs/streaming-conformance.md. */
export function conformancePage(list: readonly Row[], results: Results): string {
  const gateways = Object.keys(NAMES).filter((name) => results[name] !== undefined)
  const score = (name: string, dialect: Dialect): string => {
    const own = list.filter((row) => row.dialect === dialect)
    const outcomes = own.map((row) => results[name]?.rows[row.id]?.outcome)
    if (outcomes.every((outcome) => outcome === 'absent')) return 'absent'
    return `${outcomes.filter((outcome) => outcome === 'holds').length} of ${own.length}`
  }
  const runs = gateways.map((name) => {
    const run = results[name]
    const scores = DIALECTS.map((dialect) => score(name, dialect)).join(' | ')
    return `| ${NAMES[name]} | ${scores} | ${run?.setUp} | ${run?.date} | ${run?.node} |`
  })
  const cell = (name: string, id: string): string => {
    const row = results[name]?.rows[id]
    return row === undefined
      ? 'not run'
      : row.outcome === 'holds'
        ? 'yes'
        : row.outcome === 'broken'
          ? '**no**'
          : row.outcome
  }
  const rows = (dialect: Dialect): string =>
    list
      .filter((row) => row.dialect === dialect)
      .map((row) => {
        const cells = gateways.map((name) => cell(name, row.id))
        return `| \`${row.id}\` | ${row.promise} | [${sourceName(row.source)}](${row.source}) | ${cells.join(' | ')} |`
      })
      .join('\n')
  const lists = DIALECTS.map(
    (dialect) => `### ${APIS[dialect]}

| row | promise | taught by | ${gateways.map((name) => NAMES[name]).join(' | ')} |
| --- | --- | --- | ${gateways.map(() => '---').join(' | ')} |
${rows(dialect)}`,
  )
  const faults = gateways.flatMap((name) => {
    const seen = list.flatMap((row) => {
      const result = results[name]?.rows[row.id]
      return result?.outcome === 'broken' ? [`- \`${row.id}\`: ${escaped(result.detail ?? '')}`] : []
    })
    return seen.length === 0 ? [] : [`### ${NAMES[name]}\n`, ...seen, '']
  })
  return `# Streaming conformance

<!-- Written by \`npm run docs:conformance -- --write\` from the list that \`npm run conformance\` runs. -->

What a gateway owes the callers of \`/v1/chat/completions\`, \`/v1/responses\` and \`/v1/messages\`, one promise per row, each with the public thread or the specification that taught it. The
checks speak HTTP alone, so that the list can be run against any OpenAI-compatible gateway. An API that a gateway does not have is \`absent\`: its rows are no part of its score.

| gateway | ${DIALECTS.map((dialect) => `\`${APIS[dialect]}\``).join(' | ')} | set-up | run on | Node |
| --- | --- | --- | --- | --- | --- | --- |
${runs.join('\n')}

## Run it

\`\`\`sh
npm run conformance -- --gateway switchyard       # this checkout
npm run conformance -- --gateway portkey          # installed from npm into node_modules/.cache
npm run conformance -- --url http://127.0.0.1:8787/v1 --upstream-port 9099 --model MODEL --header 'authorization: Bearer KEY'
\`\`\`

For \`--url\` the runner listens on \`127.0.0.1:PORT\` as a scripted provider. Point the gateway's OpenAI-compatible provider at \`http://127.0.0.1:PORT/v1\` (any key), and give it
a model that goes there, without caching, with breakers off and with an idle time-out below \`--patience\` seconds (5). A word in the prompt, \`[[row#nonce]]\`, tells the scripted provider what to do: messages must reach it unchanged. Rows that need it
are not run, and never count as held, where it is missing or the gateway does not use it.
\`--only PART\` picks rows by id, \`--json\` prints results for programs, \`--list\` prints the promises. The exit code is 0 only if every row that was run holds, and at least one was.

A row that a gateway breaks is not always a fault of the gateway: some promises (an upstream that is given up, a repaired index) are services that a plain relay does not offer.
The provider behind speaks OpenAI's chat and OpenAI's Responses and answers in whichever it is asked; to the callers of \`/v1/messages\` a gateway must translate.
The peers run as their packages ship them, with the settings named above.

## The list

${lists.join('\n\n')}
${faults.length === 0 ? '' : `\n## What was seen instead\n\n${faults.join('\n').trimEnd()}\n`}`
}

function sourceName(url: string): string {
  const { hostname, pathname, hash } = new URL(url)
  const found = /^\/([^/]+\/[^/]+)\/(?:issues|pull)\/(\d+)$/.exec(pathname)
  if (found !== null) return `${found[1]}#${found[2]}`
  if (hostname === 'html.spec.whatwg.org') return 'WHATWG HTML'
  if (hostname === 'www.rfc-editor.org') return `RFC 9112, ${hash.slice('#section-'.length)}`
  if (hostname === 'platform.openai.com' || hostname === 'developers.openai.com') return 'OpenAI API reference'
  if (hostname === 'platform.claude.com') return 'Anthropic, Streaming'
  return pathname.split('/').slice(1, 3).join('/')
}

function escaped(text: string): string {
  return `\`${text.replaceAll('`', "'")}\``
}
