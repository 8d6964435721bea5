/** The store cannot be used: the message says what is wrong and what to do, for the operator at start. */
export class StoreProblem extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreProblem'
  }
}
