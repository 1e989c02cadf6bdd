/**
 * What cuts cost: 30 s out of an hour of 1080p30 H.264, exact, against encoding the same 30 s anew with the bare ffmpeg
 * program, in processor seconds of one run, for keyframes every 2 s and every 10 s; a copy at keyframes, warm; memory of
 * this process in a minute and in an hour; and the bytes read of a file behind HTTP, for the first clip and the next.
 * Needs ffmpeg and 4 GB of disk. Prints one JSON object. Arguments: rounds (default 3); a folder that keeps the hours
 * from run to run (`hour-2.mp4`, `hour-10.mp4`).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { UserIdSchema } from '../contracts/ids.ts'
import { type CutOptions, CutOptionsSchema, type CutResult } from '../contracts/media.ts'
import { openOutbound } from '../core/outbound/guarded-fetch.ts'
import { cutClip } from '../media/cut/cut-clip.ts'
import type { MediaSource } from '../media/source/open-source.ts'
import { SourceIndexes } from '../media/source/source-indexes.ts'
import { openTestEngine } from '../test/media-engine.ts'
import { makeHourFile } from './hour-file.ts'

const roundCount = Number(process.argv[2] ?? 3)
const keptFolder = process.argv[3]
const clipSec = 30
/** Neither edge is at a keyframe. */
const starts = [1807.35, 605.51, 2903.77]

const outbound = openOutbound({ configuredOrigins: [], mayReach: () => true })
/** What one user's processes know of files behind HTTP. */
const indexes = new SourceIndexes().of(UserIdSchema.parse('11111111-1111-4111-8111-111111111111'))
const engine = await openTestEngine('ffmpeg')
const root = await mkdtemp(join(tmpdir(), 'cliptape-bench-'))

interface Measured {
  readonly cut: CutResult
  readonly cpuSec: number
  readonly wallMs: number
}

async function measure(source: MediaSource, startSec: number, options: Partial<CutOptions>): Promise<Measured> {
  const folder = await mkdtemp(join(root, 'job-'))
  const [before, startedAtMs] = [process.cpuUsage(), performance.now()]
  const cut = await cutClip(
    { engine, outbound, indexes },
    { source, startSec, endSec: startSec + clipSec, options: CutOptionsSchema.parse(options) },
    { folder },
  )
  const own = process.cpuUsage(before)
  const wallMs = performance.now() - startedAtMs
  await rm(folder, { recursive: true })
  return { cut, wallMs, cpuSec: (own.user + own.system) / 1e6 + (cut.cpuSec ?? 0) }
}

/** The same span, encoded as a whole by ffmpeg alone; processor seconds. */
async function encodeAnew(path: string, startSec: number): Promise<number> {
  const child = spawn(
    'ffmpeg',
    [
      ...['-v', 'info', '-nostats', '-benchmark', '-y', '-ss', String(startSec), '-i', path, '-t', String(clipSec)],
      ...[
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-crf',
        '20',
        '-c:a',
        'aac',
        '-b:a',
        '192k',
        join(root, 'anew.mp4'),
      ],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const said = await text(child.stderr)
  const [, user = 'NaN', system = 'NaN'] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(said) ?? []
  return Number(user) + Number(system)
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

/** A server of one file that answers ranges. */
async function serve(path: string): Promise<{ url: string; close(): void }> {
  const { size } = await stat(path)
  const server = createServer((request, response) => {
    const [, start = '0', end = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
    const last = Math.min(end === '' ? size - 1 : Number(end), size - 1)
    response.writeHead(206, { 'content-range': `bytes ${start}-${last}/${size}`, etag: '"1"' })
    createReadStream(path, { start: Number(start), end: last }).pipe(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`,
    close: () => server.close(),
  }
}

async function benchOf(gopSec: number) {
  const kept = keptFolder === undefined ? null : join(keptFolder, `hour-${gopSec}.mp4`)
  const path = kept !== null && existsSync(kept) ? kept : await makeHourFile(keptFolder ?? root, { gopSec })
  const source = { kind: 'file', path } as const
  await measure(source, 100.3, { mode: 'keyframe' })
  const rounds = []
  for (let round = 0; round < roundCount; round += 1) {
    const startSec = starts[round % starts.length] ?? 0
    rounds.push({
      exact: await measure(source, startSec, {}),
      anewCpuSec: await encodeAnew(path, startSec),
      preview: await measure(source, startSec, { mode: 'keyframe' }),
    })
  }
  const server = await serve(path)
  const remote = { kind: 'url', url: server.url } as const
  const first = await measure(remote, starts[0] ?? 0, { mode: 'keyframe' })
  const next = await measure(remote, starts[1] ?? 0, { mode: 'keyframe' })
  server.close()
  const exactCpuSec = median(rounds.map(round => round.exact.cpuSec))
  const anewCpuSec = median(rounds.map(round => round.anewCpuSec))
  if (kept === null) await rm(path)
  return {
    gopSec,
    tiers: [...new Set(rounds.map(round => round.exact.cut.tier))],
    encodedFrames: rounds.map(round => round.exact.cut.encodedFrameCount),
    exactCpuSec,
    anewCpuSec,
    timesCheaper: anewCpuSec / exactCpuSec,
    exactWallMs: median(rounds.map(round => round.exact.wallMs)),
    previewWallMs: median(rounds.map(round => round.preview.wallMs)),
    previewCpuSec: median(rounds.map(round => round.preview.cpuSec)),
    httpReadOverClip: [first, next].map(({ cut }) => cut.bytesRead / cut.bytes),
    rssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  }
}

try {
  console.log(JSON.stringify({ clipSec, rounds: roundCount, files: [await benchOf(2), await benchOf(10)] }, null, 2))
} finally {
  await Promise.all([engine.close(), outbound.close()])
  await rm(root, { recursive: true, force: true })
}
