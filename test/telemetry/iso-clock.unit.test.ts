import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IsoClock } from '../../src/telemetry/iso-clock.ts'

test('the clock says what a date says, whichever way it is set', () => {
  let now = 0
  const clock = new IsoClock(() => now)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4_102_444_800_000 }), { minLength: 1 }), (moments) => {
      for (const moment of moments.flatMap((each) => [each, each + 1, each + 0.5, each - 1000])) {
        now = Math.max(0, moment)
        expect(clock.now()).toBe(new Date(Math.floor(now)).toISOString())
      }
    }),
  )
})
