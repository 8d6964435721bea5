import { CALLERS, type Caller } from './callers.ts'
import { CAPABILITIES, type Capability } from './capabilities.ts'
import { decide, type Decision, type Told, type Way } from './decide.ts'
import { EGRESSES, type Egress } from './egresses.ts'
import { SHOWN_BY_ANSWER } from './marks.ts'

/** The matrix as a page's section: a table for each API that callers speak, and what its refusals say. */
export function matrixSection(): string {
  return CALLERS.map(tableOf).join('\n')
}

function tableOf(caller: Caller): string {
  const refusals = new Refusals(caller)
  const rows = CAPABILITIES.map((capability) => {
    const cells = EGRESSES.map((egress) => cellOf(egress, capability, decide(caller, egress, capability), refusals))
    return `| ${capability} | ${cells.join(' | ')} |`
  })
  return `### ${caller.title}

| | ${EGRESSES.map(({ name }) => name).join(' | ')} |
|---|${'---|'.repeat(EGRESSES.length)}
${rows.join('\n')}

${refusals.list()}
`
}

function cellOf(egress: Egress, capability: Capability, decision: Decision, refusals: Refusals): string {
  switch (decision.kind) {
    case 'refused':
      return `refused ${refusals.mark(decision)}`
    case 'dropped':
      return `left out, named: ${names(decision.dropped)}`
    case 'works':
    case 'translated': {
      const { asked, answered, dropped, error } = decision
      const way = SHOWN_BY_ANSWER.has(capability)
        ? { ...answered, to: answered.caller }
        : { ...asked, to: asked.provider }
      const why = egress.lacks[capability]?.why
      return [
        `${decision.kind}${error === undefined ? (decision.kind === 'works' ? '' : arrow(way)) : told(error)}`,
        ...(dropped.length === 0 ? [] : [`named: ${names(dropped)}`]),
        ...(why === undefined ? [] : [why]),
      ].join('; ')
    }
    default:
      return decision satisfies never
  }
}

/** Where it stands at the provider and, of answers, where the caller finds it. */
function arrow({ caller, provider, to }: Way & { readonly to: readonly string[] }): string {
  const [from] = provider
  const [found] = caller
  if (to === provider) return from === undefined ? '' : ` to \`${short(from)}\``
  if (from === undefined) return found === undefined ? '' : ` to \`${short(found)}\``
  return ` from \`${short(from)}\``
}

function told({ code, status }: Told): string {
  return status === undefined ? ` as \`${code}\`` : `: ${status.provider} as ${status.caller} \`${code}\``
}

/** Without the way through a schema or a call's own arguments, which is the caller's. */
function short(place: string): string {
  if (place === '(path)') return ':streamGenerateContent'
  return place
    .replace(/\.properties\..*$/, '')
    .replace(/\.(?:input|args)\.quay$/, (found) => found.slice(0, -'.quay'.length))
}

function names(list: readonly string[]): string {
  return list.map((name) => `\`${name}\``).join(', ')
}

/** Numbers the refusals of a table: the same sentence has the same number. */
class Refusals {
  readonly #sentences: string[] = []
  readonly #letter: string

  constructor({ name }: Caller) {
    this.#letter = { 'openai-chat': 'c', 'openai-responses': 'r', 'anthropic-messages': 'm' }[name]
  }

  mark({ param, sentence }: Extract<Decision, { kind: 'refused' }>): string {
    const line = `\`${param ?? 'null'}\`: ${sentence}`
    if (!this.#sentences.includes(line)) this.#sentences.push(line)
    return `(${this.#letter}${this.#sentences.indexOf(line) + 1})`
  }

  list(): string {
    return this.#sentences.map((line, at) => `- ${this.#letter}${at + 1}: \`param\` ${line}`).join('\n')
  }
}
