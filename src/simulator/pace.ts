import { setTimeout as sleep } from 'node:timers/promises'
import { PROFILES, type LatencyProfile } from './profiles.ts'

/** What one more running sequence adds to the time between tokens, as a share: decoding in a batch is nearly free until memory bandwidth is used up. */
const BATCH_SLOWDOWN = 0.01

export interface PaceOptions {
  /** Names of latency profiles by model; absent = instant. */
  readonly profiles?: Readonly<Record<string, string>>
  /** Time scale: 1 = as the profile says, 2 = twice as fast, 0 = no waiting. */
  readonly speed: number
}

/** How long a GPU would take: time to the first token and between tokens, with what else runs there. */
export class Pace {
  /** Requests under way. */
  running = 0
  readonly #options: PaceOptions

  constructor(options: PaceOptions) {
    this.#options = options
  }

  /** Time until the first token, unscaled ms. */
  prefillMs(model: string, input: number): number {
    const profile = this.#profile(model)
    return profile.prefillOverheadMs + profile.prefillMsPerToken * input
  }

  /** Time between two tokens as busy as it is now, unscaled ms. */
  tokenMs(model: string): number {
    return this.#profile(model).interTokenMs * (1 + BATCH_SLOWDOWN * Math.max(0, this.running - 1))
  }

  /** Waits this time on the simulator's own scale. */
  wait(ms: number): Promise<void> | void {
    const scaled = this.#options.speed === 0 ? 0 : ms / this.#options.speed
    if (scaled < 0.5) return undefined
    return sleep(scaled)
  }

  /** Share of `totalMs` that is over `sinceMs` (real ms) after the start, 0..1. */
  shareDone(totalMs: number, sinceMs: number): number {
    if (totalMs === 0 || this.#options.speed === 0) return 1
    return Math.min(1, (sinceMs * this.#options.speed) / totalMs)
  }

  #profile(model: string): LatencyProfile {
    return PROFILES[this.#options.profiles?.[model] ?? 'instant'] ?? (PROFILES['instant'] as LatencyProfile)
  }
}
