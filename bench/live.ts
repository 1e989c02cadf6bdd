/**
 * Live queries: 1 M samples of 10,000 videos, 500 WebSocket clients on 10 distinct queries, 10 writes a second, 10 more
 * clients that never read. Prints one JSON object: p99 from an acknowledged write to the received patch and its ratio to a raw
 * WebSocket broadcast of frames of the same size to as many clients; computations per second with 50 and with 500
 * clients; the memory of the server and of its engine.
 *
 * node bench/live.ts [--seconds 120] [--samples 1000000] [--videos 10000] [--clients 500]
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import { type Order, type Report, token } from './live-protocol.ts'

const { values: args } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    samples: { type: 'string', default: '1000000' },
    videos: { type: 'string', default: '10000' },
    clients: { type: 'string', default: '500' },
  },
})
const seconds = Math.min(Number(args.seconds), 600)
const clientCount = Math.min(Number(args.clients), 2000)
const writesPerSecond = 10
const hangingCount = 10
const shortSeconds = Math.max(10, seconds / 6)
/** Memory grows until heaps and caches have their size and the store's merged parts are gone: with many clients, a minute. */
const warmMs = Math.min(60_000, seconds * 500)
const settleMs = 5000

/** Ten distinct questions; the marker video is in each of them. */
const queries = [
  { period: '24h', limit: 50 },
  { period: '7d', limit: 50 },
  { period: '30d', limit: 50 },
  { period: '24h', limit: 20 },
  { period: '7d', limit: 20 },
  { period: '24h', limit: 50, platform: 'youtube' },
  { period: '7d', limit: 50, platform: 'youtube' },
  { period: '30d', limit: 50, platform: 'youtube' },
  { period: '24h', limit: 50, sort: 'views' },
  { period: '7d', limit: 50, sort: 'views' },
]

/** Writes that some client had not got 20 s after the last one; the figures are worth nothing unless it is zero. */
let missedCount = 0
const folder = await mkdtemp(join(tmpdir(), 'cliptape-live-'))
const child = fork(fileURLToPath(new URL('./live-server.ts', import.meta.url)), [folder, args.samples, args.videos])
const acknowledgedAt: number[] = []
child.on('message', (message: Report) => {
  if (message.type === 'acknowledged') acknowledgedAt[message.number] = message.atMs
})

try {
  const ready = await reported('ready')
  const few = await run(ready.url, { readers: Math.ceil(clientCount / 10), forSeconds: shortSeconds, hanging: 0 })
  const many = await run(ready.url, { readers: clientCount, forSeconds: seconds, hanging: hangingCount })
  const raw = await runRaw(ready.rawUrl, clientCount, shortSeconds, many.frameBytesMean)
  console.log(
    JSON.stringify({
      bench: 'live',
      cores: availableParallelism(),
      samples: Number(args.samples),
      videos: Number(args.videos),
      clients: clientCount,
      distinctQueries: queries.length,
      writesPerSecondAsked: writesPerSecond,
      few,
      many,
      raw,
      missedCount,
      p99RatioToRaw: ratio(many.latencyMs.p99, raw.latencyMs.p99),
      computationsRatioManyToFew: ratio(many.computationsPerSecond, few.computationsPerSecond),
      goal: { p99Ms: 300, isMet: missedCount === 0 && many.latencyMs.p99 <= 300 },
    }),
  )
} finally {
  order({ type: 'stop' })
  await Promise.race([once(child, 'exit'), delay(10_000)])
  child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
}

interface Seen {
  /** Which write a client saw first at what instant. */
  number: number
  atMs: number
}

/** Connects, watches, writes for a while, and says what was seen. */
async function run(url: string, o: { readers: number; forSeconds: number; hanging: number }) {
  const { readers, forSeconds, hanging } = o
  const clients: { socket: WebSocket; seen: Seen[] }[] = []
  let frames = 0
  let frameBytes = 0
  for (let at = 0; at < readers; at += 1) {
    const seen: Seen[] = []
    const socket = await subscribe(url, [queries[at % queries.length] ?? {}], text => {
      frames += 1
      frameBytes += text.length
      const marker = /"views":9(\d{9})\b/.exec(text)
      if (marker) seen.push({ number: Number(marker[1]), atMs: wallMs() })
    })
    clients.push({ socket, seen })
  }
  order({ type: 'write', perSecond: writesPerSecond })
  await delay(hanging > 0 ? warmMs : settleMs)
  const stuck: WebSocket[] = []
  for (let at = 0; at < hanging; at += 1) {
    const socket = await subscribe(url, queries, () => {})
    socket.pause()
    stuck.push(socket)
  }
  await delay(settleMs)
  for (const client of clients) client.seen.length = 0
  frames = 0
  frameBytes = 0
  const firstNumber = acknowledgedAt.length
  const before = await stats()
  const memory = await watchMemory(forSeconds)
  const after = await stats()
  const lastNumber = acknowledgedAt.length - 1
  order({ type: 'write', perSecond: 0 })
  await allHave(clients, lastNumber)
  const latencies = clients.flatMap(({ seen }) => latenciesOf(seen, firstNumber, lastNumber))
  for (const { socket } of clients) socket.terminate()
  for (const socket of stuck) socket.terminate()
  await delay(500)
  const tookSeconds = (after.atMs - before.atMs) / 1000
  const perSecond = (name: string) => round((metric(after.metrics, name) - metric(before.metrics, name)) / tookSeconds)
  return {
    readers,
    hanging,
    seconds: round(tookSeconds),
    writesPerSecond: round((lastNumber - firstNumber + 1) / tookSeconds),
    computationsPerSecond: perSecond('cliptape_live_computations_total'),
    computeMsMean: round(
      (1000 *
        (metric(after.metrics, 'cliptape_live_compute_seconds_total') -
          metric(before.metrics, 'cliptape_live_compute_seconds_total'))) /
        Math.max(
          1,
          metric(after.metrics, 'cliptape_live_computations_total') -
            metric(before.metrics, 'cliptape_live_computations_total'),
        ),
    ),
    framesPerSecond: round(frames / tookSeconds),
    frameBytesMean: Math.round(frameBytes / Math.max(1, frames)),
    latencyMs: percentiles(latencies),
    serverCpuCores: round((after.cpuMs - before.cpuMs) / 1000 / tookSeconds),
    skipped: metric(after.metrics, 'cliptape_ws_skipped_total'),
    writesFailed: after.failedWrites,
    writeMsMax: round(after.writeMsMax),
    bufferedBytes: metric(after.metrics, 'cliptape_ws_buffered_bytes'),
    rssMiB: memory.server,
    engineRssMiB: memory.engine,
  }
}

/** Waits until every client has the last write, or long enough to say that it was missed. */
async function allHave(clients: readonly { seen: readonly Seen[] }[], last: number): Promise<void> {
  const deadlineMs = performance.now() + 20_000
  while (performance.now() < deadlineMs && clients.some(({ seen }) => (seen.at(-1)?.number ?? 0) < last))
    await delay(100)
}

/** Every write that a client should have seen, with how long it took to come: a later patch brings earlier writes too. */
function latenciesOf(seen: readonly Seen[], first: number, last: number): number[] {
  const latencies: number[] = []
  let next = first
  for (const { number, atMs } of seen) {
    for (; next <= Math.min(number, last); next += 1) {
      const ackMs = acknowledgedAt[next]
      if (ackMs !== undefined) latencies.push(Math.max(0, atMs - ackMs))
    }
  }
  missedCount += Math.max(0, last - next + 1)
  return latencies
}

async function subscribe(url: string, asked: readonly object[], onText: (text: string) => void): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { perMessageDeflate: false })
  await once(socket, 'open')
  let answered = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.on('message', data => {
    const text = data.toString()
    if (text.startsWith('{"type":"patch"')) onText(text)
    else if (text.startsWith('{"type":"snapshot"')) {
      answered += 1
      if (answered === asked.length) resolve()
    } else if (text.startsWith('{"type":"error"')) console.error(text.slice(0, 300))
  })
  socket.send(JSON.stringify({ type: 'hello', protocol: 1, token }))
  await once(socket, 'message')
  asked.forEach((params, at) => {
    socket.send(
      JSON.stringify({
        type: 'subscribe',
        id: `q${at}`,
        query: { name: 'trends', params: { type: 'clips', ...params } },
      }),
    )
  })
  await promise
  return socket
}

/** The RSS of the server and of its engine over the time of a run: the mean of the first and last fifths, and the most. */
async function watchMemory(forSeconds: number) {
  const readings: { server: number; engine: number }[] = []
  const stepMs = (forSeconds * 1000) / 50
  for (let at = 0; at < 50; at += 1) {
    await delay(stepMs)
    const { rssBytes, engineRssBytes } = await stats()
    readings.push({ server: rssBytes / 2 ** 20, engine: engineRssBytes / 2 ** 20 })
  }
  const mean = (part: number[]) => round(part.reduce((sum, one) => sum + one, 0) / part.length)
  const course = (all: number[]) => ({
    first: mean(all.slice(0, 10)),
    last: mean(all.slice(-10)),
    most: round(Math.max(...all)),
  })
  return { server: course(readings.map(one => one.server)), engine: course(readings.map(one => one.engine)) }
}

async function runRaw(url: string, clients: number, forSeconds: number, frameBytes: number) {
  const latencies: number[] = []
  const sockets: WebSocket[] = []
  for (let at = 0; at < clients; at += 1) {
    const socket = new WebSocket(url, { perMessageDeflate: false })
    await once(socket, 'open')
    socket.on('message', data => {
      const text = data.toString()
      latencies.push(wallMs() - Number(text.slice(0, text.indexOf(' '))))
    })
    sockets.push(socket)
  }
  const timer = setInterval(
    () => order({ type: 'broadcast', groups: queries.length, frameBytes: Math.max(64, frameBytes) }),
    1000 / writesPerSecond,
  )
  await delay(forSeconds * 1000)
  clearInterval(timer)
  await delay(500)
  for (const socket of sockets) socket.terminate()
  return { frameBytes, framesPerSecond: round(latencies.length / forSeconds), latencyMs: percentiles(latencies) }
}

async function stats() {
  const answer = reported('stats')
  order({ type: 'stats' })
  return { ...(await answer), atMs: performance.now() }
}

function reported<T extends Report['type']>(type: T): Promise<Extract<Report, { type: T }>> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error('The server process ended.'))
    const onMessage = (message: Report) => {
      if (!isOfType(message, type)) return
      child.off('message', onMessage)
      child.off('exit', onExit)
      resolve(message)
    }
    child.on('message', onMessage)
    child.once('exit', onExit)
  })
}

function isOfType<T extends Report['type']>(message: Report, type: T): message is Extract<Report, { type: T }> {
  return message.type === type
}

function order(message: Order): void {
  if (child.connected) child.send(message)
}

function metric(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
}

function percentiles(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), most: at(1) }
}

function ratio(one: number, other: number): number {
  return other === 0 ? 0 : round(one / other)
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

function wallMs(): number {
  return performance.timeOrigin + performance.now()
}
