import type { KeyStore } from '../store/key-store.ts'
import type { KeyRecord } from '../store/key-record.ts'
import type { StaticKey } from './show-key.ts'

export interface SubjectKeysOptions {
  readonly store: KeyStore
  readonly staticKeys: () => readonly Pick<StaticKey, 'name' | 'tenant'>[]
  /** Milliseconds since 1970. */
  readonly wallNow: () => number
  /** Called after every change. */
  readonly changed: (what: 'revoked' | 'forgotten', count: number) => void
}

/** The keys of a tenant, or of one user in it. */
export class SubjectKeys {
  readonly #options: SubjectKeysOptions

  constructor(options: SubjectKeysOptions) {
    this.#options = options
  }

  /** Names of made keys, ended ones included, and of keys of the file, which belong to no user. */
  of(
    tenant: string,
    user: string | undefined,
  ): { readonly made: readonly string[]; readonly inFile: readonly string[] } {
    const inFile = user === undefined ? this.#options.staticKeys().filter((key) => key.tenant === tenant) : []
    return {
      made: [...new Set(this.records(tenant, user).map(({ name }) => name))],
      inFile: inFile.map(({ name }) => name),
    }
  }

  /** Records of made keys, one for each secret. */
  records(tenant: string, user: string | undefined): readonly KeyRecord[] {
    return this.#options.store
      .list()
      .filter((key) => key.tenant === tenant && (user === undefined || key.user === user))
  }

  /** Ends all of them. */
  revoke(tenant: string, user: string | undefined): void {
    const { store, wallNow, changed } = this.#options
    const now = wallNow()
    const open = this.records(tenant, user).filter(({ revokedAtMs = Infinity }) => revokedAtMs > now)
    store.write(() => {
      for (const { id } of open) store.revoke(id, now)
    })
    if (open.length > 0) changed('revoked', open.length)
  }

  /**
   * Takes their names and hashes out of the file. What is left says that there was a key once, so that a service that needed keys goes on
   * needing them.
   */
  forget(tenant: string, user: string | undefined): void {
    const { store, changed } = this.#options
    const records = this.records(tenant, user)
    store.forget(records.map(({ id }) => id))
    if (records.length > 0) changed('forgotten', records.length)
  }
}
