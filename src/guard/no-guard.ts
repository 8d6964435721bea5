import type { Caller, Guard } from '../gateway/steps.ts'
import type { ChatRequest } from '../protocol/request.ts'

/** The guard of a deployment that asked for none: nothing is looked at, and nothing costs time. */
export class NoGuard implements Guard {
  screen(): undefined {
    return undefined
  }

  screenRequest(request: ChatRequest, _caller: Caller): { readonly request: ChatRequest } {
    return { request }
  }
}
