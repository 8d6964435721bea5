import type { Setting } from './provenance.ts'

/** Settings that are checked and that nothing reads in this version. Whoever makes one work takes it off, here and in docs/configuration.md. */
const WITHOUT_EFFECT: readonly RegExp[] = [
  /^upstreams\.[^]+\.gpu\.(?:count|usdPerHour|name)$/,
  /^routes\.[^]+\.cache\.max_error$/,
  /^telemetry\.(?:otlp|capturePrompts)$/,
]

/** Whether a setting (dotted path) does nothing yet. */
export function isWithoutEffect(setting: string): boolean {
  return WITHOUT_EFFECT.some((pattern) => pattern.test(setting))
}

/** A remark about settings that somebody has written and that do nothing yet: whoever relies on a limit must not find out from the bill. */
export function withoutEffectRemark(settings: readonly Setting[]): readonly string[] {
  const written = settings.filter(
    ({ setting, from }) => from !== 'default' && from !== 'found' && isWithoutEffect(setting),
  )
  if (written.length === 0) return []
  const list = written.map(({ setting, from }) => `${setting} (${from})`).join(', ')
  return [`checked, but without effect in this version: ${list}`]
}
