/**
 * How an ffmpeg program is called. What a file could do with it is cut off here: formats that point at other files
 * (playlists, concat lists) are not on the list of what it may open, nor are protocols but its own pipes and files; files
 * are named as such, so that no name is taken for an option or an address; pictures and threads are bounded.
 */
import type { Readable } from 'node:stream'
import { firstWords, runEngineProcess, type Wrappers } from './engine-process.ts'
import { memoryBytesMax, pixelsMaxDefault } from './limits.ts'
import type { EngineTask, EngineUsage } from './port.ts'
import type { ProcessStarter } from './process-starter.ts'

/** What is opened: containers and plain sound. */
export const fileFormats = 'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,wav,mp3,aac,flac,ogg'

const mappingFilters = ['zscale', 'tonemap']
/** Builds have some hundred filters, a line each. */
const filtersCharsMax = 256 * 1024

/** The program, and what of the system's means to bound it is there. */
export interface FfmpegProgram {
  /** Absolute path, or a name on the path. */
  readonly path: string
  /** Where programs are looked for. */
  readonly searchPath: string
  readonly wrappers: Wrappers
  readonly starter: ProcessStarter
  /** As of `MediaEngine`. */
  readonly mapsRange: boolean
}

/** One run: what comes before and after `-i`, and who reads the pipes. */
export interface FfmpegRun {
  /** Options of the input, e.g. `-ss`. */
  readonly inputArgs: readonly string[]
  readonly input: { readonly path: string } | { readonly h264: AsyncIterable<Uint8Array> }
  /** Filters, codecs and outputs. A pipe is named `pipe:1` or `pipe:3`. */
  readonly outputArgs: readonly string[]
  readonly onPicture?: (stream: Readable) => Promise<void>
  readonly onSound?: (stream: Readable) => Promise<void>
  /** The time of a frame, as the filter `showinfo` says it, in seconds; null when there are no more. */
  readonly onFrameTime?: (atSec: number | null) => void
}

/** Runs ffmpeg once, to its end. Throws as `runEngineProcess`. */
export async function runFfmpeg(program: FfmpegProgram, run: FfmpegRun, task: EngineTask): Promise<EngineUsage> {
  const startedAtMs = performance.now()
  let cpuSec: number | null = null
  const { errorCount } = await runEngineProcess(
    {
      command: commandLine(program, run, task),
      env: environment(program.searchPath),
      wrappers: program.wrappers,
      starter: program.starter,
      memoryMax: { of: 'addressed', bytes: memoryBytesMax(task.pixelsMax ?? pixelsMaxDefault) },
      input: 'h264' in run.input ? run.input.h264 : undefined,
      onPicture: run.onPicture,
      onSound: run.onSound,
      onLogLine(line) {
        if (line === null) run.onFrameTime?.(null)
        else if (/\[(error|fatal|panic)\]/.test(line)) return 'error'
        else if (line.startsWith('[info] bench: utime=')) cpuSec = benchmarkSec(line)
        else if (line.includes('Parsed_showinfo')) takeTime(line, run)
        return 'other'
      },
      onEventLine(line) {
        const microseconds = /^out_time_us=(-?\d+)$/.exec(line)?.[1]
        if (microseconds !== undefined) task.onProgress?.(Math.max(0, Number(microseconds) / 1e6))
      },
    },
    task,
  )
  return { cpuSec, errorCount, wallMs: performance.now() - startedAtMs }
}

/** The version that a program says it has, e.g. `5.1.9`; null when it cannot be run or is no ffmpeg. */
export async function ffmpegVersion(path: string, searchPath: string): Promise<string | null> {
  const text = await firstWords([path, '-hide_banner', '-version'], environment(searchPath))
  return text === null ? null : (/^ffmpeg version (\S+)/.exec(text)?.[1] ?? null)
}

/** Whether a program has the filters that map a high range: they need a library that not every build is linked with. */
export async function ffmpegMapsRange(path: string, searchPath: string): Promise<boolean> {
  const text = await firstWords([path, '-hide_banner', '-filters'], environment(searchPath), filtersCharsMax)
  return text !== null && mappingFilters.every(name => text.includes(` ${name} `))
}

function environment(searchPath: string): Record<string, string> {
  return { PATH: searchPath, LC_ALL: 'C' }
}

function commandLine(program: FfmpegProgram, run: FfmpegRun, task: EngineTask): string[] {
  const isStream = 'h264' in run.input
  return [
    program.path,
    // Levels in front of lines tell errors from what is merely said.
    ...['-hide_banner', '-nostdin', '-v', 'level+info', '-nostats', '-benchmark', '-y'],
    ...['-progress', 'pipe:4', '-stats_period', '0.25'],
    ...['-protocol_whitelist', 'file,pipe', '-format_whitelist', isStream ? 'h264' : fileFormats],
    ...['-max_pixels', String(task.pixelsMax ?? pixelsMaxDefault), '-threads', '2'],
    ...run.inputArgs,
    ...('h264' in run.input ? ['-f', 'h264', '-i', 'pipe:0'] : ['-i', `file:${run.input.path}`]),
    ...run.outputArgs,
  ]
}

function takeTime(line: string, run: FfmpegRun): void {
  const atSec = /\bpts_time:\s*(-?[\d.]+)/.exec(line)?.[1]
  if (atSec !== undefined) run.onFrameTime?.(Number(atSec))
}

function benchmarkSec(line: string): number | null {
  const [user, system] = [/utime=([\d.]+)s/.exec(line)?.[1], /stime=([\d.]+)s/.exec(line)?.[1]]
  return user === undefined || system === undefined ? null : Number(user) + Number(system)
}
