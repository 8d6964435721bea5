import { StoreProblem } from './store-problem.ts'

/** The store is a service of its own and does not answer: nothing is wrong with the configuration. */
export class StoreUnreachable extends StoreProblem {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreUnreachable'
  }
}
