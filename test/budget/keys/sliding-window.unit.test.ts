import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SlidingWindow } from '../../../src/budget/keys/sliding-window.ts'

test('the time until nothing counts is the time until no more than nothing counts', () => {
  const step = fc.record({ ms: fc.nat(20_000), amount: fc.nat(50), back: fc.nat(60) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const window = new SlidingWindow()
      let now = 1000
      for (const { ms, amount, back } of steps) {
        const before = now
        now += ms
        window.add(amount, now)
        window.giveBack(back, before, now)
        expect(window.emptyMs(now)).toBe(window.waitMs(0, now))
      }
    }),
  )
})
