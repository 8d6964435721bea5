/** What Gemini's generations can do, by the names of their models (Gemini API docs, models, 2026). */
export interface ModelFamily {
  /** How a request says how much to think; `none`: the model does not. */
  readonly thinking: 'none' | 'budget' | 'level'
  /** It always thinks, at least a little. */
  readonly alwaysThinks: boolean
  /** It is one of the large models, whose smallest and largest budgets and levels are their own. */
  readonly isPro: boolean
  /** Function calls have to go back with the signature that they came with. */
  readonly needsSignatures: boolean
  /** Pictures may stand inside of a function's result. */
  readonly takesMediaResults: boolean
  /** Functions and JSON as the form of the answer may be asked for together. */
  readonly takesToolsWithFormat: boolean
}

const OLD = /^(?:gemini-(?:1|2\.0)|gemma|learnlm)/
const SECOND = /^gemini-2/

/** An unknown name counts as the newest generation: what is written for a model that does not exist yet. */
export function familyOf(model: string): ModelFamily {
  const name = model.replace(/^models\//, '')
  const isOld = OLD.test(name)
  const isSecond = SECOND.test(name)
  const isNew = !isOld && !isSecond
  const isPro = /(?:^|-)pro(?:-|$)/.test(name)
  return {
    thinking: isOld ? 'none' : isSecond ? 'budget' : 'level',
    alwaysThinks: isNew || (isSecond && isPro),
    isPro,
    needsSignatures: isNew,
    takesMediaResults: isNew,
    takesToolsWithFormat: isNew,
  }
}
