export type Fields = Readonly<Record<string, unknown>>

/** One server-sent event with its name, as OpenAI's Responses API and Anthropic write them. */
export function event(fields: Fields): string {
  return `event: ${String(fields['type'])}\n${data(fields)}`
}

/** One server-sent event without a name. */
export function data(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`
}

/** A text in two pieces. */
export function halves(text: string): readonly [string, string] {
  const middle = Math.ceil(text.length / 2)
  return [text.slice(0, middle), text.slice(middle)]
}
