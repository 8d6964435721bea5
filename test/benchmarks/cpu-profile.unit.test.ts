import { expect, test } from 'vitest'
import { ownerTimes, selfTimes, type CpuProfile } from '../../benchmarks/support/cpu-profile.ts'

const frame = (id: number, functionName: string, url: string, lineNumber = 9): CpuProfile['nodes'][number] => ({
  id,
  callFrame: { functionName, url, lineNumber },
})
const profile: CpuProfile = {
  nodes: [
    frame(1, '(idle)', ''),
    frame(2, 'route', 'file:///home/someone/app/src/routing/route.ts'),
    frame(3, 'dispatch', 'file:///home/someone/app/node_modules/undici/lib/client.js'),
    frame(4, 'route', 'file:///home/someone/app/src/routing/route.ts'),
  ],
  samples: [1, 2, 3, 4],
  timeDeltas: [1000, 10, 20, 30],
}

test('self time adds up over all call paths of a function, and waiting is not work', () => {
  expect(selfTimes(profile)).toEqual([
    { name: 'route', where: 'src/routing/route.ts:10', us: 40 },
    { name: 'dispatch', where: 'undici/lib/client.js:10', us: 20 },
  ])
})

test('time is owed by the folder of this project or the package that holds the code', () => {
  expect(ownerTimes(profile)).toEqual([
    { name: 'src/routing', where: '', us: 40 },
    { name: 'undici', where: '', us: 20 },
  ])
})
