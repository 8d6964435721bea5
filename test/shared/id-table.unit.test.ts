import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IdTable } from '../../src/shared/id-table.ts'

test('it holds what a Map would hold, whatever comes and goes in whatever order', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 300 })), { maxLength: 2000 })
  fc.assert(
    fc.property(steps, fc.constantFrom('req_', '', 'a much longer beginning/'), (given, prefix) => {
      const table = new IdTable<{ readonly id: string; readonly value: number }>()
      const map = new Map<string, number>()
      for (const [index, [isAdd, number]] of given.entries()) {
        const id = `${prefix}${number}`
        if (!isAdd) {
          table.delete(id)
          map.delete(id)
        } else if (!map.has(id)) {
          table.add({ id, value: index })
          map.set(id, index)
        }
        expect(table.get(id)?.value).toBe(map.get(id))
        expect(table.size).toBe(map.size)
      }
      const held = [...table.values()].map(({ id, value }) => [id, value] as const)
      expect(new Map(held)).toEqual(map)
      expect(held).toHaveLength(map.size)
    }),
  )
})
