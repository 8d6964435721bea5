/** What becomes of a service whose router weights are not as they should be. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { startGatewayProcess } from '../support/gateway-process.ts'

const SHIPPED = fileURLToPath(new URL('../../router-models/', import.meta.url))
const CONFIG = `upstreams: { sim: { kind: simulated } }
models: { little: { upstream: sim, model: little }, large: { upstream: sim, model: large, tier: frontier, price: { inputPerM: 1, outputPerM: 2 } } }
routes: { auto: { small: [little], big: [large] } }
`

type Damage = 'missing' | 'cut' | 'of another version'

function folder(damage: Damage): string {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-weights-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  if (damage === 'missing') return dir
  for (const name of ['gain-heads.bin', 'gain-heads.json']) copyFileSync(join(SHIPPED, name), join(dir, name))
  if (damage === 'cut') truncateSync(join(dir, 'gain-heads.bin'), 1000)
  const json = join(dir, 'gain-heads.json')
  if (damage === 'of another version')
    writeFileSync(json, readFileSync(json, 'utf8').replace(/"format":\s*"[^"]*"/, '"format": "of-tomorrow"'))
  return dir
}

test.each<[Damage, RegExp]>([
  ['missing', /ended with 2 [^]*router\.folder: .*ENOENT[^]*Name another folder/],
  ['cut', /ended with 2 [^]*router\.folder: .*SHA-256[^]*Name another folder/],
  ['of another version', /ended with 2 [^]*router\.folder: [^]*Name another folder/],
])('weights that are %s stop the start, with what mends it', async (damage, message) => {
  const config = `${CONFIG}router: { folder: "${folder(damage)}" }\n`
  await expect(startGatewayProcess({ config })).rejects.toThrow(message)
})

test('where the file says optional, it starts and routes by rules', async () => {
  const config = `${CONFIG}router: { weights: optional, folder: "${folder('cut')}" }\n`
  const gateway = await startGatewayProcess({ config })
  expect(gateway.output()).toContain('router-weights')
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'ping' }] }),
  })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('x-route-reason')).toBe('degraded')
})
