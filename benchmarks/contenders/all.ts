import type { Contender } from '../support/contender.ts'
import { bare } from './bare.ts'
import { litellm } from './litellm.ts'
import { nginx } from './nginx.ts'
import { portkey } from './portkey.ts'
import { switchyard } from './switchyard.ts'
import { vllmRouter } from './vllm-router.ts'

/** Everyone who can be measured, the reference of the ratios first. */
export const ALL: readonly Contender[] = [
  vllmRouter(),
  vllmRouter('round_robin'),
  switchyard(),
  bare('bare-http', false),
  bare('bare-http', true),
  bare('bare-fastify', false),
  bare('bare-fastify', true),
  nginx,
  portkey,
  litellm,
]

/** Contenders by name, in the order of `ALL`. Throws on a name that nobody has. */
export function pick(names: readonly string[]): Contender[] {
  for (const name of names)
    if (!ALL.some((one) => one.name === name))
      throw new Error(`no contender is called ${name}; there are ${ALL.map((one) => one.name).join(', ')}`)
  return ALL.filter((one) => names.includes(one.name))
}
