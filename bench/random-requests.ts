// Random requests made from the OpenAPI document against a real server: node bench/random-requests.ts [count] [seed].
// Prints one JSON object; exits with 1 when a single answer should not have come.
import { openAttackRig } from '../test/attack-rig.ts'

const count = Number(process.argv[2] ?? 100_000)
const seed = Number(process.argv[3] ?? 20_260_131)

const rig = await openAttackRig()
const startMs = performance.now()
const report = await rig.run({ count, seed, parallel: 24 })
const tookSec = (performance.now() - startMs) / 1000
await rig.close()
console.log(
  JSON.stringify({
    bench: 'random-requests',
    requests: report.requests,
    seed,
    tookSec: Math.round(tookSec),
    requestsPerSec: Math.round(report.requests / tookSec),
    slowestMs: report.slowestMs,
    byStatus: report.byStatus,
    problemCount: report.problemCount,
    problems: report.problems,
    heapMib: Math.round(process.memoryUsage().heapUsed / 2 ** 20),
  }),
)
process.exitCode = report.problemCount === 0 ? 0 : 1
