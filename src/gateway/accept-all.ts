import type { Call, Judge, Verdict, Watch } from './steps.ts'

/** Step 6 switched off: every answer is sent as it comes. */
export class AcceptAll implements Judge {
  watch(): Watch {
    return 'nothing'
  }

  asks(call: Call): Call {
    return call
  }

  begins(): Verdict {
    return { accept: true }
  }

  judge(): Verdict {
    return { accept: true }
  }
}
