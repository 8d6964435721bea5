import { unsupportedBy, type Unsupported } from '../field-fates.ts'

/** What the Responses API cannot be told. */
export const unsupported: Unsupported = unsupportedBy(
  'The model that this request went to is asked through the Responses API, which',
)
