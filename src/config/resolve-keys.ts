/** Keys and tenants of the file: secrets become digests, dollars nano-dollars, days moments. */
import { usdToNano, type NanoUsd } from '../shared/money.ts'
import { hashKey } from '../shared/api-key.ts'
import type { Secret } from '../shared/secret.ts'
import type { KeyConfig, TenantConfig } from './config.ts'
import { nearest } from './problems.ts'
import type { FileConfig, KeyFile } from './schema.ts'
import { isReference, type SecretReader } from './secrets.ts'

type Path = readonly (string | number)[]

export interface KeyContext {
  readonly secrets: SecretReader
  readonly adminKey: Secret | undefined
  /** Milliseconds since 1970. */
  readonly nowMs: number
  readonly problem: (path: Path, sentence: string) => void
  readonly remark: (sentence: string) => void
}

/** The keys of a file. Reports what cannot work. */
export function resolveKeys(files: readonly KeyFile[], context: KeyContext): KeyConfig[] {
  const seen = new Map<string, string>()
  return files.map((key, index) => {
    const at = ['keys', index]
    const value = isReference(key.key) ? context.secrets.read(key.key, [...at, 'key'])?.reveal() : key.key
    const sha256 = hashKey(value ?? '')
    const twin = seen.get(sha256.toString('hex')) ?? seen.get(key.name)
    if (!isReference(key.key))
      context.remark(`keys.${index}.key stands in clear text in the file; env:NAME or file:PATH is safer`)
    if (twin !== undefined && value !== undefined)
      context.problem([...at, 'name'], `the key or its name is the same as of "${twin}". Each key needs its own.`)
    if (value !== undefined && value === context.adminKey?.reveal())
      context.remark(`keys.${index}.key is the admin key too: whoever calls with it can also make and revoke keys`)
    seen.set(sha256.toString('hex'), key.name)
    seen.set(key.name, key.name)
    const expiresAtMs = key.expiresAt === undefined ? undefined : Date.parse(key.expiresAt)
    if (expiresAtMs !== undefined && expiresAtMs <= context.nowMs)
      context.remark(`keys.${index}.expiresAt has passed (${key.expiresAt}): the key "${key.name}" is refused`)
    return { ...publicPart(key), sha256, unknownFields: key.compat.unknownFields }
  })
}

/** A key of the file without its secret. */
export function publicPart(key: KeyFile): Omit<KeyConfig, 'sha256' | 'unknownFields'> {
  return {
    name: key.name,
    tenant: key.tenant,
    limits: {
      maxUsdPerDay: nano(key.maxUsdPerDay),
      maxUsdPerMonth: nano(key.maxUsdPerMonth),
      requestsPerMinute: key.requestsPerMinute,
      tokensPerMinute: key.tokensPerMinute,
      concurrency: key.concurrency,
    },
    models: key.models,
    expiresAtMs: key.expiresAt === undefined ? undefined : Date.parse(key.expiresAt),
    canTopUp: key.canTopUp,
    metrics: key.metrics,
    store: key.store,
  }
}

/** The tenants of a file. A name that no key has is no mistake, since made keys may have it, but worth a remark. */
export function resolveTenants(
  { tenants, keys }: Pick<FileConfig, 'tenants' | 'keys'>,
  remark: (sentence: string) => void,
): Readonly<Record<string, TenantConfig>> {
  const known = ['default', ...keys.map((key) => key.tenant)]
  for (const name of Object.keys(tenants)) {
    if (!known.includes(name)) {
      const near = nearest(name, known)
      const hint = near === undefined ? '' : ` (is "${near}" meant?)`
      remark(`tenants.${name}: no key of this file is of this tenant${hint}; it counts for made keys`)
    }
  }
  return Object.fromEntries(
    Object.entries(tenants).map(([name, { maxUsdPerDay, sensitivity }]) => [
      name,
      { maxUsdPerDay: nano(maxUsdPerDay), ...(sensitivity === undefined ? {} : { sensitivity }) },
    ]),
  )
}

function nano(usd: number | undefined): NanoUsd | undefined {
  return usd === undefined ? undefined : usdToNano(usd)
}
