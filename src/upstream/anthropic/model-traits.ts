/** What a model of Anthropic's can be told, by its name (model overview, adaptive thinking, effort and structured outputs guides, 2026). */
export interface ModelTraits {
  /** How thinking is asked for: with a budget, by effort, or not at all. */
  readonly thinking: 'none' | 'budget' | 'adaptive'
  /** `thinking.display`. */
  readonly hasDisplay: boolean
  /** `output_config.effort`, with or without thinking. */
  readonly hasEffort: boolean
  /** Effort `xhigh`; without it `high` is the next. */
  readonly hasXhigh: boolean
  /** `temperature`, `top_p` and `top_k`. */
  readonly hasSampling: boolean
  /** `temperature` and `top_p` in one request are refused. */
  readonly isSamplingExclusive: boolean
  /** An answer may be begun by the caller (last message of the assistant). */
  readonly hasPrefill: boolean
  /** `output_config.format`. */
  readonly hasFormat: boolean
}

/** Traits by name; a name without a version counts as the newest, whose rules are the strictest. */
export function modelTraits(model: string): ModelTraits {
  const version = versionOf(model)
  const isOpus = /opus/.test(model)
  return {
    thinking: version < 3.7 ? 'none' : version < 4.6 ? 'budget' : 'adaptive',
    hasDisplay: version >= 4,
    hasEffort: version >= 4.6 || (version === 4.5 && isOpus),
    hasXhigh: version >= 4.7,
    hasSampling: version < 4.7,
    isSamplingExclusive: version >= 4.1,
    hasPrefill: version < 4.6,
    hasFormat: version >= 4.5 || (version === 4.1 && isOpus),
  }
}

/** `claude-3-5-haiku-20241022` is 3.5, `claude-opus-4-1` 4.1, `claude-sonnet-4-20250514` 4, `claude-sonnet-5` 5. */
function versionOf(model: string): number {
  const found = /claude-(?:[a-z]+-)?(\d)(?:[-.](\d{1,2})(?!\d))?/.exec(model)
  return found === null ? Number.MAX_SAFE_INTEGER : Number(found[1]) + Number(found[2] ?? 0) / 10
}
