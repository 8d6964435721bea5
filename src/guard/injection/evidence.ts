export const INJECTION_REASONS = [
  'overrides-rules',
  'asks-for-instructions',
  'asks-for-secrets',
  'changes-role',
  'fakes-a-turn',
  'addresses-the-model',
  'hides-from-the-user',
  'claims-approval',
  'lifts-a-limit',
  'steers-the-gateway',
  'sends-data-out',
  'hidden-characters',
  'encoded',
  'many-examples',
] as const
export type InjectionReason = (typeof INJECTION_REASONS)[number]

/** Strongest piece of evidence for each reason, 0..1. */
export type Evidence = Map<InjectionReason, number>

/** Keeps the stronger of two pieces for one reason. */
export function note(evidence: Evidence, reason: InjectionReason, weight: number): void {
  if (weight > (evidence.get(reason) ?? 0)) evidence.set(reason, weight)
}
