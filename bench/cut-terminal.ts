/**
 * How CUT feels on an hour of 1080p30: `cliptape up` as it is, on a terminal device, typed into from outside.
 * - From a key to its frame on CUT, still and while every frame of the hour is analysed; against TOP in the same run.
 * - How soon the server's filmstrip of the hour has its first cell and all 120; against one seek of the bare ffmpeg
 *   program, and against its decoding as many keyframes that follow one another.
 * Prints one JSON object, times in milliseconds. Needs ffmpeg, `script` (util-linux) and 2 GB of disk. Argument: a folder
 * that keeps the hour from run to run (`hour-2.mp4`).
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { MediaJobSchema } from '../contracts/media-jobs.ts'
import { pictureHeadBytes } from '../contracts/pictures.ts'
import { type Vod, VodSchema } from '../contracts/vods.ts'
import { packageRoot } from '../sql/read.ts'
import { timecode } from '../terminal/screens/cut-state.ts'
import { cliOn } from '../test/cli.ts'
import { freePort } from '../test/services/process.ts'
import { makeHourFile } from './hour-file.ts'
import { type Figures, figuresOf, keyCount, keysOnTop, rest, TypedInto } from './typed-terminal.ts'

const roundCount = 3
const cellCount = 120
const gopSec = 2
const cell = { widthPx: 32, heightPx: 18 }
/** Longer than anything measured here may take: a run ends. */
const waitMsMax = 120_000

const run = promisify(execFile)
const root = await mkdtemp(join(tmpdir(), 'cliptape-bench-'))
const folder = process.argv[2] ?? root

const port = String(await freePort())
const home = join(root, 'home')
const variables = { CLIPTAPE_MEDIA_ROOTS: folder, COLORTERM: 'truecolor', TERM: 'xterm-256color', PORT: port }
const cli = cliOn(home, variables)
const kept = join(folder, `hour-${gopSec}.mp4`)
let terminal: TypedInto | null = null
let token = ''

try {
  const hour = existsSync(kept) ? kept : await makeHourFile(folder, { gopSec })
  await mkdir(home)
  terminal = new TypedInto(`${process.execPath} ${join(packageRoot, 'bin/cliptape.mjs')} up`, {
    ...{ PATH: process.env.PATH, HOME: home, CLIPTAPE_HOME: home, LANG: 'C.UTF-8' },
    ...variables,
  })
  await terminal.press('', 'VEL/H')
  token = (await cli.run('token')).stdout.trim()
  const vod = VodSchema.parse(await call('POST', '/api/vods', { source: hour }))

  const top = await keysOnTop(terminal)
  const strip = await filmstrips(vod)
  await terminal.press('MEDIA\r', 'Enter cut')
  await terminal.press('\r', timecode(0))
  const cutStill = await keysOnCut(terminal, vod, 0)
  const job = MediaJobSchema.parse(
    await call('POST', '/api/media/jobs', {
      type: 'timeline/analyze',
      input: { vodId: vod.vodId },
      params: { level: 'full' },
    }),
  )
  await runningJob(job.jobId)
  const cutAnalysing = await keysOnCut(terminal, vod, keyCount)
  const { status, progress } = await runningJob(job.jobId)
  const seek = await ffmpegMs(['-ss', '1807.35', '-i', hour, '-frames:v', '1'])
  const keyframes = await ffmpegMs(['-skip_frame', 'nokey', '-t', String(cellCount * gopSec), '-i', hour, '-an'])
  await terminal.quit()
  terminal = null
  process.stdout.write(
    `${JSON.stringify(
      {
        bench: 'cut-terminal',
        load: loadavg().map(value => Math.round(value)),
        keys: keyCount,
        keyToFrameMs: { top, cutStill, cutAnalysing, analysis: { status, progress } },
        filmstripMs: { cells: cellCount, ...strip },
        ffmpegMs: { seek, keyframes },
        goals: { keyToFrameMs: 50, firstMs: 500, allMs: 2500 },
      },
      null,
      2,
    )}\n`,
  )
} finally {
  terminal?.kill()
  await rm(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}

/** Frame by frame; the frame that answers shows the timecode of the new place. */
async function keysOnCut(of: TypedInto, { media: { video } }: Vod, from: number): Promise<Figures> {
  const frameSec = 1 / (video?.framesPerSec ?? Number.NaN)
  const taken = []
  for (let i = 1; i <= keyCount; i += 1) {
    taken.push(await of.press('\u001b[C', timecode((from + i) * frameSec)))
    await rest(i)
  }
  return figuresOf(taken)
}

async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return await response.json()
}

/** The job once it is under way; throws when it has ended already. */
async function runningJob(jobId: string) {
  for (const endMs = performance.now() + waitMsMax; performance.now() < endMs; await delay(100)) {
    const job = MediaJobSchema.parse(await call('GET', `/api/media/jobs/${jobId}`))
    if (job.status === 'running') return job
    if (job.status !== 'queued') break
  }
  throw new Error('The analysis does not run: nothing can be measured beside it.')
}

/** Strips of the whole hour from the request on, over HTTP. */
async function filmstrips({ vodId, duration }: Vod): Promise<{ first: Figures; all: Figures }> {
  const size = { widthPx: String(cell.widthPx), heightPx: String(cell.heightPx) }
  const query = new URLSearchParams({ endSec: String(duration), cells: String(cellCount), ...size })
  const recordBytes = pictureHeadBytes + cell.widthPx * cell.heightPx * 3
  const taken = []
  for (let round = 0; round < roundCount; round += 1) {
    const startMs = performance.now()
    const response = await fetch(`http://127.0.0.1:${port}/api/vods/${encodeURIComponent(vodId)}/filmstrip?${query}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(waitMsMax),
    })
    let bytes = 0
    let firstMs = 0
    for await (const piece of response.body ?? []) {
      bytes += piece.length
      if (bytes >= recordBytes) firstMs ||= performance.now() - startMs
    }
    if (bytes !== recordBytes * cellCount) throw new Error(`The strip has ${bytes / recordBytes} cells.`)
    taken.push({ firstMs, allMs: performance.now() - startMs })
  }
  return { first: figuresOf(taken.map(({ firstMs }) => firstMs)), all: figuresOf(taken.map(({ allMs }) => allMs)) }
}

/** One run of the bare program that decodes into pictures of a cell's size. */
async function ffmpegMs(args: readonly string[]): Promise<number> {
  const startMs = performance.now()
  const scale = `scale=${cell.widthPx}:${cell.heightPx}`
  await run('ffmpeg', ['-v', 'error', '-nostdin', ...args, '-vf', scale, '-f', 'null', '-'], { timeout: waitMsMax })
  return Math.round(performance.now() - startMs)
}
