import { describe, expect, test } from 'vitest'
import { DRIVERS } from '../support/ledger-drivers.ts'
import { ledgerScenarios, scenarios } from '../support/ledger-scenarios.ts'

test('most rows are about the ledger itself', () => {
  expect(scenarios.length).toBeGreaterThanOrEqual(25)
})

describe.each(DRIVERS)('%s', ledgerScenarios)
