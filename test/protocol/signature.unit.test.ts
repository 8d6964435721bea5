import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSignature, showSignature } from '../../src/protocol/signature.ts'

const signer = fc.constantFrom('anthropic' as const, 'google' as const, 'openai' as const)

test('a signature that was shown in any dialect is read back with whose it is', () => {
  fc.assert(
    fc.property(fc.base64String(), signer, signer, (signature, signedBy, native) => {
      expect(readSignature(showSignature(signature, signedBy, native), native)).toEqual({ signature, signedBy })
    }),
  )
})

test("a dialect's own provider's signature is shown bare", () => {
  expect(showSignature('Eq8B', 'anthropic', 'anthropic')).toBe('Eq8B')
  expect(showSignature('Eq8B', 'google', 'anthropic')).toBe('google#Eq8B')
})
