/**
 * Latency of open models on GPUs, batch size 1, FP16: middle of the published ranges of llm-d-inference-sim's latency profiles
 * (docs/latency-profiles.md, 2026-08), which were gathered from public benchmarks and are approximate.
 */
export interface LatencyProfile {
  /** Fixed part of the time to first token, ms. */
  readonly prefillOverheadMs: number
  readonly prefillMsPerToken: number
  /** Time between tokens, ms. */
  readonly interTokenMs: number
}

export const PROFILES: Readonly<Record<string, LatencyProfile>> = {
  instant: { prefillOverheadMs: 0, prefillMsPerToken: 0, interTokenMs: 0 },
  '1-3B/H100': { prefillOverheadMs: 20, prefillMsPerToken: 0.15, interTokenMs: 6.5 },
  '1-3B/L40S': { prefillOverheadMs: 20, prefillMsPerToken: 0.45, interTokenMs: 15 },
  '7-8B/H100': { prefillOverheadMs: 25, prefillMsPerToken: 0.3, interTokenMs: 11 },
  '7-8B/L40S': { prefillOverheadMs: 25, prefillMsPerToken: 0.9, interTokenMs: 27 },
  '70B/H100': { prefillOverheadMs: 40, prefillMsPerToken: 1.5, interTokenMs: 35 },
}
