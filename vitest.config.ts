import { defineConfig, type ViteUserConfig } from 'vitest/config'

// "unit" finishes in seconds and starts no process; "system" uses real processes, sockets and files.
const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      // Left to itself it leaves one core free, which on two cores doubles the time.
      { test: { name: 'unit', include: ['test/**/*.unit.test.ts'], testTimeout: 10_000, maxWorkers: 2 } },
      {
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.unit.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
  },
})

export default config
