import { defineConfig } from 'vitest/config'

// The default run: everything that needs no service of the host. Several files at once would fight over two cores
// with real engines inside, so the number of workers is bounded.
export default defineConfig({
  test: {
    include: ['**/*.test.ts', '**/*.test.tsx'],
    exclude: ['**/node_modules/**', 'dist/**', '**/*.services.test.ts'],
    globalSetup: ['test/scratch-folder.ts'],
    environment: 'node',
    env: { FORCE_COLOR: '3', NODE_ENV: 'test' },
    maxWorkers: 2,
    // The files of a worker share its process and modules: a third of a second less for each of them.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
