/**
 * The only file that starts ffmpeg.
 *
 * A media file from anywhere is a program for a large decoder written in C, so the process that reads it can do little
 * else: it has no shell, no terminal, no network where the system can take that away, none of our environment, and no
 * file descriptor but its own pipes. Formats that point at other files (playlists, concat lists) are not on the list
 * of what it may open, its memory, processor time and output are bounded, and it ends with everything it started.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../contracts/errors.ts'
import { bytesMaxOfEngine, pixelsMaxDefault, wallMsMax } from './limits.ts'
import { engineFailure } from './messages.ts'
import type { EngineTask, EngineUsage } from './port.ts'

const stderrCharsMax = 64 * 1024
const killAfterMs = 2_000
/** More than this in one line is no line. */
const lineCharsMax = 16 * 1024
const formats = 'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,wav,mp3,aac,flac,ogg'

/** The program, and what of the system's means to bound it is there. */
export interface FfmpegProgram {
  /** Absolute path, or a name on the path. */
  readonly path: string
  /** What goes in front of it: `nice`, `unshare`, `prlimit`, as far as they work here. */
  readonly wrappers: { readonly nice: boolean; readonly unshare: boolean; readonly prlimit: boolean }
  /** Where programs are looked for. */
  readonly searchPath: string
}

/** One run: what comes before and after `-i`, and who reads the pipes. */
export interface FfmpegRun {
  /** Options of the input, e.g. `-ss`. */
  readonly inputArgs: readonly string[]
  readonly input: { readonly path: string } | { readonly h264: AsyncIterable<Uint8Array> }
  /** Filters, codecs and outputs. A pipe is named `pipe:1` or `pipe:3`. */
  readonly outputArgs: readonly string[]
  /** Reads file descriptor 1. The run waits for it. */
  readonly onPicture?: (stream: Readable) => Promise<void>
  /** Reads file descriptor 3. */
  readonly onSound?: (stream: Readable) => Promise<void>
  /** Lines of the log below an error, e.g. those of the filter `showinfo`; null when there are no more. */
  readonly onInfo?: (line: string | null) => void
  /** In the clock of the output, as ffmpeg reports it. */
  readonly onOutTime?: (outSec: number) => void
}

/**
 * Runs ffmpeg once, to its end.
 * @throws AppError BAD_REQUEST when it could not make sense of the file, with its last words; UNAVAILABLE when it took
 * too long or the disk is full; the signal's reason when it was aborted; what a reader of a pipe threw
 */
export async function runFfmpeg(program: FfmpegProgram, run: FfmpegRun, task: EngineTask): Promise<EngineUsage> {
  task.signal?.throwIfAborted()
  const startedAtMs = performance.now()
  const [command = '', ...args] = commandLine(program, run, task)
  const child = spawn(command, args, {
    stdio: ['h264' in run.input ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    // A group of its own, so that all of it can be ended at once.
    detached: true,
    cwd: '/',
    env: { PATH: program.searchPath, LC_ALL: 'C' },
  })
  const stop = stopper(child)
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), wallMsMax(task.cpuSecEstimate))
  const onAbort = (): void => stop()
  const ending = AbortSignal.any([late.signal, ...(task.signal ? [task.signal] : [])])
  ending.addEventListener('abort', onAbort, { once: true })
  const log = new FfmpegLog(run.onInfo)
  const ended = endOf(child)
  try {
    await Promise.all([
      ended,
      // A reader that fails ends the run: nobody empties its pipe any more.
      ...readers(child, run, log).map(reader =>
        reader.catch(error => {
          stop()
          throw error
        }),
      ),
    ])
  } catch (error) {
    stop()
    await ended.catch(() => undefined)
    throw error
  } finally {
    clearTimeout(timer)
    ending.removeEventListener('abort', onAbort)
  }
  task.signal?.throwIfAborted()
  const { code, signal } = await ended
  if (late.signal.aborted)
    throw new AppError('UNAVAILABLE', 'The work on this file took longer than it may take and was ended.')
  if (code !== 0) throw engineFailure({ signal, errors: log.errors })
  return { cpuSec: log.cpuSec, wallMs: performance.now() - startedAtMs, errorCount: log.errorCount }
}

/** The first line that the program says of itself, e.g. `ffmpeg version 5.1.9 …`; null when it cannot be run. */
export async function ffmpegVersion(program: Pick<FfmpegProgram, 'path' | 'searchPath'>): Promise<string | null> {
  const text = await firstWords(program.path, ['-hide_banner', '-version'], program.searchPath)
  return text === null ? null : (/^ffmpeg version (\S+)/.exec(text)?.[1] ?? null)
}

/** Which means to bound a process work here: each is tried once on a program that does nothing. */
export async function workingWrappers(searchPath: string): Promise<FfmpegProgram['wrappers']> {
  const works = async (command: string, args: readonly string[]): Promise<boolean> =>
    (await firstWords(command, args, searchPath)) !== null
  const [nice, unshare, prlimit] = await Promise.all([
    works('nice', ['-n', '10', 'true']),
    works('unshare', ['-rn', 'true']),
    works('prlimit', ['--as=1073741824', 'true']),
  ])
  return { nice, unshare, prlimit }
}

function commandLine(program: FfmpegProgram, run: FfmpegRun, task: EngineTask): string[] {
  const { nice, unshare, prlimit } = program.wrappers
  const bytes = bytesMaxOfEngine(task)
  const isStream = 'h264' in run.input
  return [
    ...(nice ? ['nice', '-n', '10'] : []),
    ...(unshare ? ['unshare', '-rn'] : []),
    ...(prlimit
      ? [
          'prlimit',
          `--as=${bytes.memory}`,
          `--cpu=${Math.ceil(wallMsMax(task.cpuSecEstimate) / 1000) * 2}`,
          `--fsize=${bytes.file}`,
          '--core=0',
        ]
      : []),
    program.path,
    // Levels in front of lines tell errors from what is merely said.
    ...['-hide_banner', '-nostdin', '-v', 'level+info', '-nostats', '-benchmark', '-y'],
    ...['-progress', 'pipe:4', '-stats_period', '0.25'],
    ...['-protocol_whitelist', 'file,pipe', '-format_whitelist', isStream ? 'h264' : formats],
    ...['-max_pixels', String(task.pixelsMax ?? pixelsMaxDefault), '-threads', '2'],
    ...run.inputArgs,
    ...('h264' in run.input ? ['-f', 'h264', '-i', 'pipe:0'] : ['-i', `file:${run.input.path}`]),
    ...run.outputArgs,
  ]
}

function readers(child: ChildProcess, run: FfmpegRun, log: FfmpegLog): Promise<unknown>[] {
  const [stdin, stdout, stderr, sound, progress] = child.stdio
  const found: Promise<unknown>[] = []
  if ('h264' in run.input && isWritable(stdin)) found.push(feed(stdin, run.input.h264))
  if (isReadable(stdout)) found.push(run.onPicture ? run.onPicture(stdout) : drained(stdout))
  if (isReadable(sound)) found.push(run.onSound ? run.onSound(sound) : drained(sound))
  if (isReadable(stderr)) found.push(eachLine(stderr, line => log.take(line)).finally(() => run.onInfo?.(null)))
  if (isReadable(progress)) {
    found.push(
      eachLine(progress, line => {
        const microseconds = /^out_time_us=(-?\d+)$/.exec(line)?.[1]
        if (microseconds !== undefined) run.onOutTime?.(Number(microseconds) / 1e6)
      }),
    )
  }
  return found
}

/** What the process says: errors are kept, the rest is passed on. */
class FfmpegLog {
  readonly #onInfo: FfmpegRun['onInfo']
  readonly #errors: string[] = []
  #errorChars = 0
  cpuSec: number | null = null
  errorCount = 0

  constructor(onInfo: FfmpegRun['onInfo']) {
    this.#onInfo = onInfo
  }

  /** The last of them, oldest first; together no more than is kept. */
  get errors(): readonly string[] {
    return this.#errors
  }

  take(line: string): void {
    if (/\[(error|fatal|panic)\]/.test(line)) this.#keep(line)
    else if (/^\[info\] bench: utime=/.test(line)) this.cpuSec = benchmarkSeconds(line)
    else this.#onInfo?.(line)
  }

  #keep(line: string): void {
    this.errorCount += 1
    this.#errors.push(line)
    this.#errorChars += line.length
    while (this.#errorChars > stderrCharsMax) this.#errorChars -= this.#errors.shift()?.length ?? stderrCharsMax
  }
}

function benchmarkSeconds(line: string): number | null {
  const [user, system] = [/utime=([\d.]+)s/.exec(line)?.[1], /stime=([\d.]+)s/.exec(line)?.[1]]
  return user === undefined || system === undefined ? null : Number(user) + Number(system)
}

/** A picture is complete for the parser when the next one begins: an access unit delimiter begins one. */
const accessUnitDelimiter = Uint8Array.of(0, 0, 0, 1, 9, 0xf0)

async function feed(stdin: Writable, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const state = { isOpen: true }
  const closed = new Promise<void>(resolve => {
    const close = (): void => {
      state.isOpen = false
      resolve()
    }
    // It has read enough, or has failed: the exit code says which.
    stdin.once('error', close)
    stdin.once('close', close)
  })
  for await (const chunk of chunks) {
    if (!state.isOpen) return
    stdin.write(chunk)
    if (!stdin.write(accessUnitDelimiter))
      await Promise.race([new Promise(resolve => stdin.once('drain', resolve)), closed])
  }
  stdin.end()
}

async function eachLine(stream: Readable, take: (line: string) => void): Promise<void> {
  let left = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) {
    const lines = (left + String(chunk)).split(/[\r\n]+/)
    left = (lines.pop() ?? '').slice(0, lineCharsMax)
    for (const line of lines) take(line)
  }
  if (left !== '') take(left)
}

async function drained(stream: Readable): Promise<void> {
  for await (const _chunk of stream);
}

function endOf(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', cause =>
      reject(new AppError('UNAVAILABLE', 'The program ffmpeg could not be started.', { cause })),
    )
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  // Whoever awaits it sees the error; a reader that failed first must not leave it unseen.
  ended.catch(() => undefined)
  return ended
}

/** Asks the whole group to end, and ends it two seconds later. */
function stopper(child: ChildProcess): () => void {
  let isStopping = false
  const signalGroup = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    try {
      process.kill(-child.pid, signal)
    } catch {
      // It ended in this moment.
    }
  }
  return () => {
    if (isStopping) return
    isStopping = true
    signalGroup('SIGTERM')
    const timer = setTimeout(() => signalGroup('SIGKILL'), killAfterMs)
    child.once('exit', () => clearTimeout(timer))
  }
}

/** What a small program writes to its standard output; null when it fails, is not there or takes seconds. */
async function firstWords(command: string, args: readonly string[], searchPath: string): Promise<string | null> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { PATH: searchPath, LC_ALL: 'C' } })
  const timer = new AbortController()
  const ended = new Promise<string | null>(resolve => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', chunk => {
      text = (text + String(chunk)).slice(0, lineCharsMax)
    })
    child.once('error', () => resolve(null))
    child.once('close', code => resolve(code === 0 ? text : null))
  })
  const late = delay(10_000, null, { signal: timer.signal, ref: false }).catch(() => null)
  const words = await Promise.race([ended, late])
  timer.abort()
  child.kill('SIGKILL')
  return words
}

function isReadable(stream: Readable | Writable | null | undefined): stream is Readable {
  return stream != null && 'read' in stream && stream.readable
}

function isWritable(stream: Readable | Writable | null | undefined): stream is Writable {
  return stream != null && 'write' in stream && stream.writable
}
