import { test } from 'vitest'
import { DRIVERS } from '../support/ledger-drivers.ts'
import { ledgerLaws } from '../support/ledger-laws.ts'

test.each(DRIVERS)(
  'in any order of steps and crashes the %s ledger adds up like a list of attempts and never passes a limit by itself',
  (name, open) => ledgerLaws(open, name === 'sqlite' ? 25 : name === 'sqlite with fsync' ? 5 : 100),
  60_000,
)
