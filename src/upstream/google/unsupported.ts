import { unsupportedBy, type Unsupported } from '../field-fates.ts'

/** What Gemini cannot be told. */
export const unsupported: Unsupported = unsupportedBy('The Google model that this request went to')
