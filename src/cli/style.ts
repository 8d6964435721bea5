import { styleText } from 'node:util'
import type { Io, Output } from './command.ts'

export interface Style {
  heading(text: string): string
  warning(text: string): string
  faint(text: string): string
}

/** Colours for a person at a terminal; plain text for everything else, and where NO_COLOR is set (no-color.org). */
export function styleFor(output: Output, env: Io['env']): Style {
  const isColoured = output.isTty && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  const paint = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    // The stream is judged above, where it is known; styleText would look at this process's own.
    isColoured ? styleText(format, text, { validateStream: false }) : text
  return { heading: paint('bold'), warning: paint('yellow'), faint: paint('dim') }
}
