import type { Judge, Verdict } from './steps.ts'

/** The judge of a deployment without a cascade: every answer goes out as it comes, and none is held back. */
export class AcceptAll implements Judge {
  wants(): boolean {
    return false
  }

  judge(): Verdict {
    return { accept: true }
  }
}
