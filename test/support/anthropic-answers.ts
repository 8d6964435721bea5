/** Anthropic's answers from `test/fixtures/anthropic`, as bytes of a stream and as whole bodies. */
import { readFileSync } from 'node:fs'

export const ANSWERS = ['text', 'thinking-tools'] as const
export type AnswerName = (typeof ANSWERS)[number]

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/anthropic/${name}`, import.meta.url), 'utf8')
}

/** Events as JSON. */
export function eventsOf(name: AnswerName): Record<string, unknown>[] {
  return fixture(`${name}.events.jsonl`)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** Server-sent events as Anthropic frames them. */
export function sse(events: readonly Record<string, unknown>[]): string {
  return events.map((event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}

export function messageOf(name: AnswerName): string {
  return fixture(`${name}.message.json`)
}
