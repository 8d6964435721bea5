import { unsupportedBy, type Unsupported } from '../field-fates.ts'

/** What Claude cannot be told. */
export const unsupported: Unsupported = unsupportedBy('The Anthropic model that this request went to')
