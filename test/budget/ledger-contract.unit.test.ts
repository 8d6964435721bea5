import { describe } from 'vitest'
import { ledgerContract } from '../support/ledger-contract.ts'
import { DRIVERS } from '../support/ledger-drivers.ts'

describe.each(DRIVERS)('the %s ledger', ledgerContract)
