import { defineConfig } from 'vitest/config'

// Tests against real services of the host (PostgreSQL, Redis) and privileged checks (strace, tmpfs, crash rounds).
export default defineConfig({
  test: {
    include: ['**/*.services.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**'],
    environment: 'node',
    env: { FORCE_COLOR: '3', NODE_ENV: 'test' },
    // Much of it waits for processes that start or end: two files at once take half the time.
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
})
