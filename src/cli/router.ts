import { nearest } from '../config/problems.ts'
import { UsageError, type Command } from './command.ts'
import { explain } from './router-explain.ts'
import { routerReport } from './router-report.ts'

/** What can be done about routing, in the order of the help. */
const ACTIONS: readonly Command[] = [explain, routerReport]

export const router: Command = {
  name: 'router',
  summary: 'explain how a request is routed, report on your own traffic',
  usage: `${ACTIONS.map(({ name, summary }) => `switchyard router ${name.padEnd(8)}  ${summary}`).join('\n')}

${ACTIONS.map(({ usage }) => usage).join('\n\n')}`,
  async run(args, io) {
    const [name = '', ...rest] = args
    const action = ACTIONS.find((each) => each.name === name)
    if (action === undefined) throw new UsageError(unknownAction(name))
    return action.run(rest, io)
  },
}

function unknownAction(name: string): string {
  const names = ACTIONS.map((each) => each.name)
  if (name === '') return `Say what to do: ${names.join(', ')}. "switchyard router --help" explains them.`
  const near = nearest(name, names)
  return `There is no "router ${name}". ${near === undefined ? `There are: ${names.join(', ')}.` : `Did you mean "${near}"?`}`
}
