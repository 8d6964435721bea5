import type { Admission, Admitter, Call } from '../../gateway/steps.ts'
import type { Usage } from '../../protocol/answer.ts'

/** Admits a call within its key's requests and tokens per minute and concurrency. Task limits join in with the ledger. */
export class KeyAdmitter implements Admitter {
  admit(call: Call): Admission {
    call.caller.limiter?.admit(expectedTokens(call))
    return { taskId: call.task.id, taskType: call.task.type ?? 'default' }
  }

  release(call: Call, _admission: Admission, usage: Usage | undefined): void {
    const used = usage === undefined ? 0 : usage.input + usage.output
    call.caller.limiter?.settle(expectedTokens(call), used, call.startedMs)
  }
}

/** What a call is expected to use before anybody has counted: about four bytes a token, and the cap it asked for. */
export function expectedTokens(call: Call): number {
  return Math.ceil(call.request.bodyBytes / 4) + (call.request.maxOutputTokens ?? 0)
}
