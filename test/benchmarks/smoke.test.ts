import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

// CPU time is read from /proc.
test.skipIf(process.platform !== 'linux')(
  'the smallest load run measures every contender and loses no request',
  async () => {
    const args = [
      path('../../benchmarks/load.ts'),
      '--quick',
      '--only',
      'switchyard,bare-http',
      '--scenarios',
      'json-1k',
    ]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 50_000 })
    expect(stdout).toContain('CPU us/request')
    const report = JSON.parse(readFileSync(path('../../benchmarks/results/load-quick.json'), 'utf8')) as {
      'json-1k': {
        rows: { contender: string; failed: number; upstreamPerRequest: number; cpuUs: { median: number } }[]
      }
    }
    const { rows } = report['json-1k']
    expect(rows.map((row) => row.contender)).toEqual(['switchyard', 'bare-http'])
    for (const row of rows) {
      expect(row.failed).toBe(0)
      expect(row.upstreamPerRequest).toBe(1)
      expect(row.cpuUs.median).toBeGreaterThan(0)
    }
  },
)
