// `npm test`: installs what is missing, then format and lint, types, unused code, and the tests, all on Node 24.
// `npm run test:services` (--services): the tests that need services of the host. Arguments after that go to vitest.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './build.mjs'
import { ensureInstalled } from './install.mjs'
import { environmentOfNode24 } from './run-node.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const args = process.argv.slice(2)
const isServices = args[0] === '--services'
const vitestArgs = isServices ? args.slice(1) : args

try {
  await ensureInstalled(root, { needsDev: true })
  // End-to-end tests start the product: built once here, not by each of them.
  await ensureBuilt(root)
} catch (error) {
  console.error(`The tests could not be prepared. ${error.message}`)
  process.exit(1)
}

const checks = isServices
  ? [['services', process.execPath, ['test/services/install.mjs']]]
  : [
      ['format and lint', 'biome', ['ci', '.']],
      ['types', 'tsc', ['-p', '.']],
      ['unused code', 'knip', []],
    ]
const failedChecks = checks
  .filter(([name, command, commandArgs]) => !run(name, command, commandArgs))
  .map(([name]) => name)

const scratch = mkdtempSync(join(tmpdir(), 'cliptape-test-'))
const report = join(scratch, 'report.json')
const config = isServices ? ['--config', 'vitest.services.config.ts'] : []
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
const arePassing = run('tests', 'vitest', ['run', ...config, ...reporters, ...vitestArgs])
const counts = readCounts(report)
rmSync(scratch, { recursive: true, force: true })

for (const name of failedChecks) console.log(`FAILED: ${name} (see above)`)
// The closing line, for machines: a failed check counts as one failure.
console.log(`${counts.passed} passed, ${counts.failed + failedChecks.length} failed`)
process.exit(arePassing && failedChecks.length === 0 ? 0 : 1)

function run(name, command, commandArgs) {
  console.log(`\n── ${name} ──`)
  const result = spawnSync(command, commandArgs, { cwd: root, stdio: 'inherit', env: environmentOfNode24(root) })
  if (result.error) console.error(`${command} could not be started: ${result.error.message}`)
  return result.status === 0
}

/** Without a report vitest itself fell over: that is one failure. */
function readCounts(path) {
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(path, 'utf8'))
    // A file that could not be loaded has no tests to fail, yet it failed.
    return { passed: numPassedTests, failed: Math.max(numFailedTests, numFailedTestSuites > 0 ? 1 : 0) }
  } catch {
    return { passed: 0, failed: 1 }
  }
}
