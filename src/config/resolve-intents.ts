/** `intents` of the file: own ones with examples, and where an intent goes. */
import { BUILT_IN_INTENTS, OTHER_INTENT } from '../shared/intent-names.ts'
import type { IntentConfig } from './config.ts'
import { suggestion } from './check-names.ts'
import type { FileConfig } from './schema.ts'

/** Enough for every team; each costs memory and time of every request that the encoder reads. */
const MOST_OWN = 200
const MOST_EXAMPLES = 10_000
const SIDES: readonly string[] = ['small', 'big']

/** Reports every name that clashes, every route that leads nowhere and every example that stands in two places. */
export function resolveIntents(
  { intents, models, encoder }: Pick<FileConfig, 'intents' | 'models' | 'encoder'>,
  report: (path: readonly (string | number)[], sentence: string) => void,
): readonly IntentConfig[] {
  const builtIn: readonly string[] = [...BUILT_IN_INTENTS, OTHER_INTENT]
  const owners = new Map<string, string>()
  const entries = Object.entries(intents)
  const own = entries.filter(([name]) => !builtIn.includes(name))
  if (own.length > MOST_OWN) report(['intents'], `there are ${own.length} of your own; ${MOST_OWN} are possible.`)
  if (own.reduce((sum, [, { examples }]) => sum + examples.length, 0) > MOST_EXAMPLES)
    report(['intents'], `there are more than ${MOST_EXAMPLES} examples in all. Ten to fifty each are enough.`)
  if (encoder.enabled === 'off' && own.length > 0)
    report(['intents', own[0]?.[0] ?? ''], 'intents of your own need the encoder. Write encoder: { enabled: auto }.')
  for (const [name, { examples, route }] of entries) {
    const at = ['intents', name]
    if (builtIn.includes(name) && examples.length > 0)
      report(
        [...at, 'examples'],
        'this is a built-in intent, which has its own. Rename yours, or leave only the route.',
      )
    if (!builtIn.includes(name) && examples.length === 0)
      report(
        at,
        `it has no examples and is not built in (${BUILT_IN_INTENTS.join(', ')}). Give some ten sentences that your callers write.`,
      )
    if (route !== undefined && !SIDES.includes(route) && models[route] === undefined)
      report([...at, 'route'], `write small, big or a model.${suggestion(route, [...SIDES, ...Object.keys(models)])}`)
    for (const [i, text] of examples.entries()) {
      const plain = text.trim().toLowerCase()
      const owner = owners.get(plain)
      if (owner !== undefined)
        report([...at, 'examples', i], `the same sentence is an example of "${owner}" already. Keep one of them.`)
      owners.set(plain, name)
    }
  }
  return entries.map(([name, { examples, route }]) => ({ name, examples, route }))
}
