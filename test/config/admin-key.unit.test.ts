/** The admin key that a service makes for itself. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { keptAdminKey } from '../../src/config/admin-key.ts'
import { ConfigError } from '../../src/config/problems.ts'

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-admin-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

test('is made once, kept for its owner alone, and found again', () => {
  const dir = join(folder(), 'new')
  const key = keptAdminKey(dir)
  expect(key).toMatch(/^sk-admin-.{16}$/)
  expect(keptAdminKey(dir)).toBe(key)
  expect(statSync(join(dir, 'admin.key')).mode & 0o777).toBe(0o600)
})

test('an empty file is no key, since everybody would know it', () => {
  const dir = folder()
  writeFileSync(join(dir, 'admin.key'), '\n', { mode: 0o644 })
  const key = keptAdminKey(dir)
  expect(key).toMatch(/^sk-admin-.{16}$/)
  expect(readFileSync(join(dir, 'admin.key'), 'utf8').trim()).toBe(key)
  expect(statSync(join(dir, 'admin.key')).mode & 0o777).toBe(0o600)
})

test('a folder that cannot be written is a problem of the configuration, with its fix', () => {
  const file = join(folder(), 'file')
  writeFileSync(file, '')
  expect(() => keptAdminKey(file)).toThrow(ConfigError)
  expect(() => keptAdminKey(file)).toThrow(/dataDir: the admin key cannot be kept in .*--data-dir/)
})
