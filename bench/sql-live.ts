/**
 * Users' SQL: one saved query watched by many WebSocket clients while readings are written, and an answer of a million
 * rows that is read as it comes. Prints one JSON object: executions for each change with one client and with all of them,
 * from the write to the last client's rows; the time to the first bytes of the large answer, against that to its last,
 * and what the process grew by meanwhile. Server and clients are one process.
 *
 * node bench/sql-live.ts [--clients 200] [--changes 10] [--rows 1000000]
 */
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { SavedQuerySchema } from '../contracts/queries.ts'
import { startServer } from '../server/server.ts'
import { LiveClient } from '../test/live-client.ts'
import { openServerRig, rigNow, rigToken } from '../test/server-rig.ts'

const { values: args } = parseArgs({
  options: {
    clients: { type: 'string', default: '200' },
    changes: { type: 'string', default: '10' },
    rows: { type: 'string', default: '1000000' },
  },
})
const clientCount = Math.min(Number(args.clients), 2000)
const changeCount = Math.min(Number(args.changes), 1000)
const rowCount = Math.min(Number(args.rows), 5_000_000)
const sampleCount = 200_000
const headers = { authorization: `Bearer ${rigToken}`, 'content-type': 'application/json' }
const Cells = z.array(z.number())

const rig = await openServerRig()
let executions = 0
const deps = await rig.deps()
const server = await startServer(
  {
    ...deps,
    gate: {
      ...deps.gate,
      run(query) {
        executions += 1
        return deps.gate.run(query)
      },
    },
    settings: { userConnectionsMax: clientCount + 10, strangerConnectionsMax: clientCount + 10 },
  },
  { host: '127.0.0.1', port: 0 },
)
try {
  await rig.store.command(
    `INSERT INTO cliptape.samples_v1 (platform, video_id, creator_id, observed_at, views, source, definition_version)
     SELECT 'youtube', concat('v', toString(number % 1000)), 'c', toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + number, number, 'import:bench', 1
     FROM numbers(${sampleCount})`,
  )
  const savedQueryId = await saveQuery()
  const alone = await watched(savedQueryId, 1)
  const together = await watched(savedQueryId, clientCount)
  console.log(
    JSON.stringify({
      clients: clientCount,
      changes: changeCount,
      executionsPerChange: { alone: alone.executionsPerChange, together: together.executionsPerChange },
      writeToLastClientMs: { alone: alone.lastMs, together: together.lastMs },
      stream: await streamed(),
    }),
  )
} finally {
  await server.close(1000)
  await rig.close()
}

async function saveQuery(): Promise<string> {
  const sql = 'SELECT max(views) AS views, count() AS readings, uniqExact(video_id) AS videos FROM v.samples'
  const response = await fetch(`${server.url}/api/queries`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ name: 'Watched', sql, visibility: 'shared' }),
  })
  return SavedQuerySchema.parse(await response.json()).id
}

/** Lets so many clients watch it through all changes, one after the other. */
async function watched(savedQueryId: string, count: number) {
  const clients = await Promise.all(Array.from({ length: count }, () => LiveClient.open(server.url, rigToken)))
  for (const client of clients) client.send({ type: 'subscribe', id: 's', query: { savedQueryId, params: {} } })
  await Promise.all(clients.map(client => client.next('snapshot', 's')))
  executions = 0
  const lastMs: number[] = []
  for (let change = 0; change < changeCount; change += 1) {
    const views = sampleCount + count * changeCount + change
    const observedAtMs = rigNow.getTime() - 1000 + change
    await rig.write([{ platform: 'youtube', videoId: `w${count}`, creatorId: 'c', observedAtMs, views }])
    const startMs = performance.now()
    await Promise.all(clients.map(client => client.until('s', ([row]) => Cells.parse(row?.cells)[0] === views)))
    lastMs.push(performance.now() - startMs)
  }
  const executionsPerChange = executions / changeCount
  await Promise.all(clients.map(client => client.end()))
  const sorted = lastMs.sort((a, b) => a - b)
  return { executionsPerChange, lastMs: { median: rounded(sorted[sorted.length >> 1]), max: rounded(sorted.at(-1)) } }
}

async function streamed() {
  const sql = `SELECT number, concat('video-', toString(number)) AS video_id, number * 7 AS views, number / 3 AS rate, toDateTime(number, 'UTC') AS at FROM numbers(${rowCount})`
  const before = process.memoryUsage().rss
  const startMs = performance.now()
  const response = await fetch(`${server.url}/api/query`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ sql, format: 'stream' }),
  })
  let firstMs: number | null = null
  let bytes = 0
  let peak = before
  for await (const chunk of response.body ?? []) {
    firstMs ??= performance.now() - startMs
    bytes += chunk.length
    peak = Math.max(peak, process.memoryUsage().rss)
  }
  return {
    rows: rowCount,
    megabytes: rounded(bytes / 1e6),
    firstBytesMs: rounded(firstMs ?? 0),
    allMs: rounded(performance.now() - startMs),
    grownMiB: rounded((peak - before) / 1024 ** 2),
  }
}

function rounded(value: number | undefined): number {
  return Math.round((value ?? 0) * 10) / 10
}
