/** How attempts are stored in Redis; the scripts in `lua/` write and read the same. */
import type { AttemptNote, AttemptState, AttemptView } from '../ledger/ledger.ts'

/** An attempt that has ended, as it is kept until its day folds. */
export interface EndedAttempt {
  readonly id: string
  readonly state: Extract<AttemptState, 'settled' | 'voided'>
  /** Nano-dollars. */
  readonly hold: number
  /** Undefined = voided. */
  readonly cost: number | undefined
  readonly input: number | undefined
  readonly output: number | undefined
  readonly note: AttemptNote
}

/** Names in a note hold no line break; the tenant stands in the key. */
export function encodeNote(note: AttemptNote): string {
  const { day, key, taskType, model, upstream, atMs, toolCalls = '', task = '' } = note
  return `${day}\n${key}\n${taskType}\n${model}\n${upstream}\n${atMs}\n${toolCalls}\n${task}`
}

export function decodeNote(tenant: string, text: string): AttemptNote {
  const [day = '', key = '', taskType = '', model = '', upstream = '', atMs = '', toolCalls = '', task = ''] =
    text.split('\n')
  return {
    tenant,
    key,
    task: task === '' ? undefined : task,
    taskType,
    ...(toolCalls === '' ? {} : { toolCalls: Number(toolCalls) }),
    model,
    upstream,
    day,
    atMs: Number(atMs),
  }
}

export function encodeEnded({ id, state, hold, cost, input, output, note }: EndedAttempt): string {
  const figures = [hold, cost ?? '', input ?? '', output ?? ''].join('\n')
  return `${id}\n${state === 'settled' ? 's' : 'v'}\n${figures}\n${encodeNote(note)}`
}

export function decodeEnded(tenant: string, text: string): EndedAttempt {
  const [id = '', state, hold = '', cost = '', input = '', output = '', ...note] = text.split('\n')
  const count = (figure: string): number | undefined => (figure === '' ? undefined : Number(figure))
  return {
    id,
    state: state === 's' ? 'settled' : 'voided',
    hold: Number(hold),
    cost: count(cost),
    input: count(input),
    output: count(output),
    note: decodeNote(tenant, note.join('\n')),
  }
}

/** Lines of an open attempt: `amount book` each. */
export function decodeLines(text: string): AttemptView['lines'] {
  return [...text.matchAll(/^(\d+) (.+)$/gm)].map(([, amount, book]) => ({
    book: book as string,
    amount: Number(amount),
    limit: undefined,
  }))
}
