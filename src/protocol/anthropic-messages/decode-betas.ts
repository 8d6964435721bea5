import { SwitchyardError } from '../../shared/errors.ts'

const BETA = /^[A-Za-z0-9._-]{1,128}$/
const MAX_BETAS = 64

/** The names in a header `anthropic-beta`: a list with commas. They go on to Anthropic's own API and mean nothing to others. */
export function decodeBetas(header: string | undefined): readonly string[] {
  if (header === undefined) return []
  const names = [...new Set(header.split(',').map((name) => name.trim()))].filter((name) => name !== '')
  if (names.length > MAX_BETAS || !names.every((name) => BETA.test(name))) {
    throw new SwitchyardError(
      'invalid_header',
      `The header "anthropic-beta" must be at most ${MAX_BETAS} names of letters, digits, dots and dashes with commas between them.`,
      { param: 'anthropic-beta' },
    )
  }
  return names
}
