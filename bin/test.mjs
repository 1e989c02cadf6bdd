// `npm test`: installs what is missing, then format and lint, types, unused code, and the tests, all on Node 24.
// `npm run test:services` (--services): the tests that need services of the host. Arguments after that go to vitest.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
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
const counts = readCounts(report, arePassing)
rmSync(scratch, { recursive: true, force: true })

// Named once more at the end, where a log that is cut still has them.
for (const name of [...failedChecks, ...counts.failures]) console.log(`FAILED: ${name}`)
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
function readCounts(path, arePassing) {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(path, 'utf8'))
    const failures = testResults.flatMap(failuresOfFile)
    // Vitest also fails for an error that no test waited for, which its report does not count.
    if (!arePassing && failures.length === 0) failures.push('an error outside the tests (see above)')
    return { passed: numPassedTests, failed: Math.max(numFailedTests, failures.length), failures }
  } catch {
    return { passed: 0, failed: 1, failures: ['the test runner itself (see above)'] }
  }
}

/** One line a failed test, with the first line of why; one for a file that could not be loaded and has no tests to fail. */
function failuresOfFile({ name, status, message, assertionResults }) {
  const file = relative(root, name)
  const failed = assertionResults.filter(result => result.status === 'failed')
  if (failed.length === 0) return status === 'failed' ? [`${file}: ${firstLine(message)}`] : []
  return failed.map(result => `${file} > ${result.fullName}: ${firstLine(result.failureMessages[0])}`)
}

function firstLine(text = '') {
  return text.split('\n', 1)[0]
}
