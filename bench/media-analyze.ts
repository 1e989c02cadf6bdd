/**
 * What a timeline costs: processor time of one pass at each level against that of five separate ffmpeg passes
 * (silences, loudness, waveform, scene cuts, thumbnails) over the same file, in one run; and how soon a filmstrip of an
 * hour is there, against a decoder started for each cell. Prints one JSON object. Arguments: a folder to keep the made
 * files in (default: a temporary one), minutes of the file for the full level (default 1). Needs ffmpeg.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TimelineLevel } from '../contracts/timeline.ts'
import { openOutbound } from '../core/outbound/guarded-fetch.ts'
import { makeFilmstrip } from '../media/filmstrip/filmstrip.ts'
import { keyframesOf } from '../media/filmstrip/keyframes.ts'
import { openMediaSource } from '../media/source/open-source.ts'
import { probeMedia } from '../media/source/probe.ts'
import { analyzeTimeline } from '../media/timeline/analyze-timeline.ts'
import { openTestEngine } from '../test/media-engine.ts'
import { makeHourFile } from './hour-file.ts'

const minutes = Number(process.argv[3] ?? 1)
const cellCount = 120
const seeksMeasured = 10

const run = promisify(execFile)
const given = process.argv[2]
const folder = given ?? (await mkdtemp(join(tmpdir(), 'cliptape-bench-')))
const outbound = openOutbound({ configuredOrigins: [] })
const engine = await openTestEngine('ffmpeg')

try {
  const kept = join(folder, 'hour-2.mp4')
  const hour = existsSync(kept) ? kept : await makeHourFile(folder, { gopSec: 2 })
  const short = join(folder, 'short.mp4')
  await run('ffmpeg', ['-v', 'error', '-y', '-i', hour, '-t', String(minutes * 60), '-c', 'copy', short])
  const separate = {
    silences: await ffmpegCpuSec(short, ['-vn', '-af', 'silencedetect=n=-45dB:d=0.3']),
    loudness: await ffmpegCpuSec(short, ['-vn', '-af', 'ebur128']),
    waveform: await ffmpegCpuSec(short, ['-vn', '-ac', '1', '-ar', '8000']),
    cuts: await ffmpegCpuSec(short, ['-an', '-vf', "select='gt(scene,0.3)'"]),
    thumbnails: await ffmpegCpuSec(short, ['-an', '-vf', 'fps=2,scale=160:90']),
  }
  const fivePasses = Object.values(separate).reduce((sum, sec) => sum + sec, 0)
  const levels = {
    audio: await timelineCpuSec(short, 'audio'),
    keyframes: await timelineCpuSec(short, 'keyframes'),
    full: await timelineCpuSec(short, 'full'),
  }
  const rssBefore = process.memoryUsage().rss
  const hourKeyframesCpuSec = await timelineCpuSec(hour, 'keyframes')
  const rssGrownMb = Math.round((process.memoryUsage().rss - rssBefore) / 1e6)
  const strip = await filmstripMs(hour)
  const seeksMs = await seekingMs(hour)
  const ratio = (part: number, of: number) => Math.round((part / of) * 1000) / 1000
  process.stdout.write(
    `${JSON.stringify({
      bench: 'media-analyze',
      cores: cpus().length,
      minutes,
      cpuSec: {
        ...rounded({ fivePasses, ...separate }),
        ours: rounded({ ...levels, hourKeyframes: hourKeyframesCpuSec }),
      },
      ratios: {
        'full/fivePasses': ratio(levels.full, fivePasses),
        'keyframes/fivePasses': ratio(levels.keyframes, fivePasses),
        'audio/fivePasses': ratio(levels.audio, fivePasses),
        'strip/seeks': ratio(strip.allMs, seeksMs),
      },
      filmstrip: { cells: cellCount, ...rounded({ ...strip, seeksMs }) },
      hourKeyframesRssGrownMb: rssGrownMb,
      goals: { 'full/fivePasses': 0.5, 'keyframes/fivePasses': 0.1, firstMs: 500, allMs: 2500 },
    })}\n`,
  )
} finally {
  await Promise.all([engine.close(), outbound.close()])
  if (given === undefined) await rm(folder, { recursive: true, force: true })
}

/** Processor time of a pass of its own, as ffmpeg counts it. */
async function ffmpegCpuSec(path: string, args: readonly string[]): Promise<number> {
  const { stderr } = await run(
    'ffmpeg',
    ['-hide_banner', '-benchmark', '-nostdin', '-i', path, ...args, '-f', 'null', '-'],
    {
      maxBuffer: 64 * 1024 * 1024,
    },
  )
  const [, user, system] = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? []
  return Number(user) + Number(system)
}

/** Processor time of the engine and of this process together. */
async function timelineCpuSec(path: string, level: TimelineLevel): Promise<number> {
  const opened = await openMediaSource({ outbound }, { kind: 'file', path })
  try {
    const before = process.cpuUsage()
    const source = {
      path,
      info: await probeMedia(opened),
      zeroSec: opened.zeroSec,
      keyframes: await keyframesOf(opened),
    }
    const { usage } = await analyzeTimeline(openEngine(), source, { level }, {})
    const own = process.cpuUsage(before)
    return (usage.cpuSec ?? Number.NaN) + (own.user + own.system) / 1e6
  } finally {
    await opened.close()
  }
}

/** From the request, the file being open: the first cell, and all of them. */
async function filmstripMs(path: string): Promise<{ firstMs: number; allMs: number }> {
  const opened = await openMediaSource({ outbound }, { kind: 'file', path })
  try {
    const { durationSec } = await probeMedia(opened)
    const startMs = performance.now()
    let firstMs = 0
    const request = { startSec: 0, endSec: durationSec, cellCount, widthPx: 96, heightPx: 54 }
    await makeFilmstrip(openEngine(), { opened, localPath: async () => path }, request, {
      onCell() {
        firstMs ||= performance.now() - startMs
      },
    })
    return { firstMs, allMs: performance.now() - startMs }
  } finally {
    await opened.close()
  }
}

/** What as many cells would take by a decoder for each. */
async function seekingMs(path: string): Promise<number> {
  const startMs = performance.now()
  for (let index = 0; index < seeksMeasured; index += 1) {
    const seek = ['-v', 'error', '-ss', String(index * 350), '-i', path, '-frames:v', '1', '-vf', 'scale=96:54']
    await run('ffmpeg', [...seek, '-f', 'null', '-'])
  }
  return ((performance.now() - startMs) * cellCount) / seeksMeasured
}

function openEngine() {
  if (engine === null) throw new Error('This bench needs ffmpeg.')
  return engine
}

function rounded<Figures extends Readonly<Record<string, number>>>(figures: Figures): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Math.round(value * 100) / 100]))
}
