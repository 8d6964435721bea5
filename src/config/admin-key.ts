import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newId } from '../shared/ids.ts'
import { ConfigError } from './problems.ts'

/**
 * The admin key that was made at the first start, or a new one; kept in `<dataDir>/admin.key` with mode 0600. An empty file (a disk
 * that was full) counts as none: an empty key would be everybody's. Throws ConfigError where it can be neither read nor written.
 */
export function keptAdminKey(dataDir: string): string {
  const path = join(dataDir, 'admin.key')
  try {
    const known = read(path)
    if (known !== '') return known
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const key = newId('sk-admin-')
    writeFileSync(path, `${key}\n`, { mode: 0o600 })
    // The mode above is for a new file only.
    chmodSync(path, 0o600)
    return key
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const sentence = `the admin key cannot be kept in ${path} (${code}). Choose a folder that this user may write with --data-dir, or set server.adminKey.`
    throw new ConfigError([{ setting: 'dataDir', line: undefined, sentence }], undefined)
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}
