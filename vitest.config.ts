import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// Each test file has a process, a database and, where it needs one, a browser of its own. Two at once even on one
// core, since most of a test is waiting; no more than four, since each of them hashes passwords.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    maxWorkers: Math.min(4, Math.max(2, availableParallelism())),
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default'],
  },
})
