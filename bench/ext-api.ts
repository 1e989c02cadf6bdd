/**
 * What the API of machines costs: `/ext-api/v1/trends` asked by 50 connections, beside a bare Express route that returns
 * the same bytes, in one run and one server process; and what authentication adds to one request at a time.
 * Prints one JSON object. Arguments: seconds of a round (default 1), rounds (default 9).
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { z } from 'zod'

const roundSec = Number(process.argv[2] ?? 1)
const roundCount = Number(process.argv[3] ?? 9)
const connections = 50
const sequentialCount = 2_000

const Targets = z.object({ cliptape: z.url(), withoutAuth: z.url(), express: z.url(), key: z.string() })

const child = fork(fileURLToPath(new URL('./ext-api-server.ts', import.meta.url)))
try {
  const [message] = await once(child, 'message')
  const { key, ...urls } = Targets.parse(message)
  const headers = { 'x-api-key': key }
  const etag = (await ask(urls.cliptape, headers)).etag
  const perSecond: Record<string, number[]> = { cliptape: [], express: [], notModified: [] }
  const cpuUs: Record<string, number[]> = { cliptape: [], express: [], notModified: [] }
  for (let round = 0; round <= roundCount; round += 1) {
    const found = {
      express: await load(urls.express, headers, 200),
      cliptape: await load(urls.cliptape, headers, 200),
      notModified: await load(urls.cliptape, { ...headers, 'if-none-match': etag }, 304),
    }
    // The first round warms both up.
    if (round === 0) continue
    for (const [name, one] of Object.entries(found)) {
      perSecond[name]?.push(one.perSecond)
      cpuUs[name]?.push(one.cpuUs)
    }
  }
  const { withKey, believed } = await sequential(urls, headers)
  const medians = (all: Record<string, number[]>) =>
    Object.fromEntries(Object.entries(all).map(([name, values]) => [name, Math.round(median(values))]))
  const throughput = medians(perSecond)
  const cpu = medians(cpuUs)
  const authAddsMs = rounded(withKey - believed, 1000)
  const result = {
    bench: 'ext-api',
    cores: cpus().length,
    connections,
    bodyBytes: (await ask(urls.cliptape, headers)).bytes,
    requestsPerSecond: throughput,
    serverCpuUsPerRequest: cpu,
    p50Ms: { withKey: rounded(withKey, 1000), withoutAuthentication: rounded(believed, 1000) },
    authAddsMs,
    ratios: {
      'cliptape/express': rounded((throughput.cliptape ?? 0) / (throughput.express ?? 1), 100),
      'notModified/express': rounded((throughput.notModified ?? 0) / (throughput.express ?? 1), 100),
      // What the first ratio comes to on a machine that has nothing else to do.
      'cpu express/cliptape': rounded((cpu.express ?? 0) / (cpu.cliptape ?? 1), 100),
    },
    goals: { 'cliptape/express': 'at least 0.6', authAddsMs: 'below 1' },
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
} finally {
  child.disconnect()
  await once(child, 'exit')
}

/** Requests answered in a second, by as many connections as there are, one request at a time on each; the server's CPU time for one. */
async function load(
  url: string,
  headers: Record<string, string>,
  expected: number,
): Promise<{ perSecond: number; cpuUs: number }> {
  const { origin, pathname, search } = new URL(url)
  const pool = new Pool(origin, { connections, pipelining: 1 })
  const cpuBeforeUs = await serverCpuUs()
  const endMs = performance.now() + roundSec * 1000
  const startMs = performance.now()
  let count = 0
  const client = async () => {
    while (performance.now() < endMs) {
      const answer = await pool.request({ path: pathname + search, method: 'GET', headers })
      await answer.body.dump({ limit: Number.MAX_SAFE_INTEGER })
      if (answer.statusCode !== expected) throw new Error(`${url} answered ${answer.statusCode}.`)
      count += 1
    }
  }
  await Promise.all(Array.from({ length: connections }, client))
  const tookSec = (performance.now() - startMs) / 1000
  const cpuUs = (await serverCpuUs()) - cpuBeforeUs
  await pool.close()
  return { perSecond: Math.round(count / tookSec), cpuUs: cpuUs / count }
}

async function serverCpuUs(): Promise<number> {
  child.send('cpu')
  const [message] = await once(child, 'message')
  return z.object({ cpuUs: z.number() }).parse(message).cpuUs
}

/** p50 of one request at a time, in ms; the two take turns, so that a busy moment of the machine hits both. */
async function sequential(urls: { cliptape: string; withoutAuth: string }, headers: Record<string, string>) {
  const times = { withKey: [] as number[], believed: [] as number[] }
  const pools = {
    withKey: new Pool(new URL(urls.cliptape).origin),
    believed: new Pool(new URL(urls.withoutAuth).origin),
  }
  const { pathname, search } = new URL(urls.cliptape)
  for (let count = 0; count < sequentialCount; count += 1) {
    for (const name of ['withKey', 'believed'] as const) {
      const startMs = performance.now()
      const answer = await pools[name].request({ path: pathname + search, method: 'GET', headers })
      await answer.body.dump({ limit: Number.MAX_SAFE_INTEGER })
      times[name].push(performance.now() - startMs)
    }
  }
  await Promise.all(Object.values(pools).map(pool => pool.close()))
  return { withKey: median(times.withKey), believed: median(times.believed) }
}

async function ask(url: string, headers: Record<string, string>): Promise<{ etag: string; bytes: number }> {
  const answer = await fetch(url, { headers })
  return { etag: answer.headers.get('etag') ?? '', bytes: (await answer.arrayBuffer()).byteLength }
}

function median(all: readonly number[]): number {
  return [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0
}

function rounded(value: number, steps: number): number {
  return Math.round(value * steps) / steps
}
