import { unsupportedBy, type Unsupported } from '../field-fates.ts'

/** What text-generation-inference cannot be told. */
export const unsupported: Unsupported = unsupportedBy('The TGI server that this request went to')
