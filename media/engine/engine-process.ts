/**
 * The only file that starts a decoder or encoder.
 *
 * A media file from anywhere is a program for a large decoder written in C, so the process that reads it can do little
 * else: it has no shell, no terminal, no network where the system can take that away, none of our environment, and no
 * file descriptor but its own pipes; its processor time and output are bounded, and it ends with everything it started.
 */
import { spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../contracts/errors.ts'
import { putInBackground } from './background.ts'
import { cpuSecMax, fileBytesMax, wallMsMax } from './limits.ts'
import { engineFailure } from './messages.ts'
import type { EngineTask } from './port.ts'
import type { ProcessStarter, StartedProgram } from './process-starter.ts'

const errorCharsMax = 64 * 1024
const killAfterMs = 2_000
/** More than this in one line is no line. */
const lineCharsMax = 16 * 1024
const helloMsMax = 10_000
const feedAheadBytesMax = 1024 ** 2

/** Which of the system's means to bound a process work here. */
export interface Wrappers {
  /** Takes the network away. */
  readonly unshare: boolean
  readonly prlimit: boolean
}

/** One run of a process, and who reads its pipes. */
export interface EngineRun {
  /** The program and its arguments. */
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly wrappers: Wrappers
  readonly starter: ProcessStarter
  /** In bytes: of all that it addresses, or, for programs that reserve more than they use, of what they write to. */
  readonly memoryMax: { readonly of: 'addressed' | 'written'; readonly bytes: number }
  /** What it gets on file descriptor 0. */
  readonly input?: AsyncIterable<Uint8Array> | undefined
  /** Reads file descriptor 1. The run waits for it. */
  readonly onPicture?: ((stream: Readable) => Promise<void>) | undefined
  /** Reads file descriptor 3. */
  readonly onSound?: ((stream: Readable) => Promise<void>) | undefined
  /** A line of the log, on file descriptor 2: whether it is an error. Null when there are no more. */
  readonly onLogLine: (line: string | null) => 'error' | 'other'
  /** A line on file descriptor 4. */
  readonly onEventLine: (line: string) => void
}

/**
 * Runs a process to its end.
 * @returns how many errors it logged and went on
 * @throws AppError BAD_REQUEST when it could not make sense of the file, with its last words; UNAVAILABLE when it took
 * too long or the disk is full; the signal's reason when it was aborted; what a reader of a pipe threw
 */
export async function runEngineProcess(run: EngineRun, task: EngineTask): Promise<{ errorCount: number }> {
  task.signal?.throwIfAborted()
  const program = await run.starter.start({
    command: [...wrapped(run, task), ...run.command],
    env: run.env,
    hasInput: run.input !== undefined,
  })
  const { ended } = program
  if (!task.isWatched) void putInBackground(program.pid)
  const stop = stopper(program)
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), wallMsMax(task))
  const ending = AbortSignal.any([late.signal, ...(task.signal ? [task.signal] : [])])
  ending.addEventListener('abort', stop, { once: true })
  if (ending.aborted) stop()
  const errors = new LastErrors()
  try {
    await Promise.all([
      ended,
      // A reader that fails ends the run: nobody empties its pipe any more.
      ...readers(program, run, errors).map(reader =>
        reader.catch(error => {
          stop()
          throw error
        }),
      ),
    ])
  } catch (error) {
    stop()
    await ended.catch(() => undefined)
    task.signal?.throwIfAborted()
    throw error
  } finally {
    clearTimeout(timer)
    ending.removeEventListener('abort', stop)
  }
  task.signal?.throwIfAborted()
  const { code, signal } = await ended
  if (late.signal.aborted)
    throw new AppError('UNAVAILABLE', 'The work on this file took longer than it may take and was ended.')
  if (code !== 0) throw engineFailure({ signal, errors: errors.lines })
  return { errorCount: errors.count }
}

/** What a small program writes to its standard output; null when it fails, is not there or takes seconds. */
export async function firstWords(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  charsMax = lineCharsMax,
): Promise<string | null> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...env } })
  const timer = new AbortController()
  const ended = new Promise<string | null>(resolve => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', chunk => {
      text = (text + String(chunk)).slice(0, charsMax)
    })
    child.once('error', () => resolve(null))
    child.once('close', code => resolve(code === 0 ? text : null))
  })
  const late = delay(helloMsMax, null, { signal: timer.signal, ref: false }).catch(() => null)
  const words = await Promise.race([ended, late])
  timer.abort()
  child.kill('SIGKILL')
  return words
}

/** Tries each means to bound a process once, on a program that does nothing. */
export async function workingWrappers(env: Readonly<Record<string, string>>): Promise<Wrappers> {
  const works = async (...command: string[]): Promise<boolean> => (await firstWords(command, env)) !== null
  const [unshare, prlimit] = await Promise.all([
    works('unshare', '-rn', 'true'),
    works('prlimit', '--as=1073741824', 'true'),
  ])
  return { unshare, prlimit }
}

function wrapped({ wrappers, memoryMax }: EngineRun, task: EngineTask): string[] {
  const memory = `--${memoryMax.of === 'addressed' ? 'as' : 'data'}=${memoryMax.bytes}`
  return [
    ...(wrappers.unshare ? ['unshare', '-rn'] : []),
    ...(wrappers.prlimit ? ['prlimit', memory, `--cpu=${cpuSecMax(task)}`, `--fsize=${fileBytesMax}`, '--core=0'] : []),
  ]
}

function readers({ stdin, outputs }: StartedProgram, run: EngineRun, errors: LastErrors): Promise<unknown>[] {
  const { stdout, stderr, third: sound, fourth: events } = outputs
  const takeLog = (line: string): void => {
    if (run.onLogLine(line) === 'error') errors.keep(line)
  }
  return [
    ...(run.input && stdin ? [feed(stdin, run.input)] : []),
    run.onPicture ? run.onPicture(stdout) : drained(stdout),
    run.onSound ? run.onSound(sound) : drained(sound),
    eachLine(stderr, takeLog).finally(() => run.onLogLine(null)),
    eachLine(events, run.onEventLine),
  ]
}

/** The last errors of a process, and how many there were. */
class LastErrors {
  readonly lines: string[] = []
  count = 0
  #chars = 0

  keep(line: string): void {
    this.count += 1
    this.lines.push(line)
    this.#chars += line.length
    while (this.#chars > errorCharsMax) this.#chars -= this.lines.shift()?.length ?? errorCharsMax
  }
}

/** Reads ahead of the process, so that neither waits for the other: a picture is larger than a pipe. */
async function feed(stdin: Writable, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const state = { isOpen: true, aheadBytes: 0, wake: () => {} }
  const close = (): void => {
    state.isOpen = false
    state.wake()
  }
  // It has read enough, or has failed: the exit code says which.
  stdin.once('error', close)
  stdin.once('close', close)
  for await (const chunk of chunks) {
    if (!state.isOpen) return
    state.aheadBytes += chunk.length
    stdin.write(chunk, () => {
      state.aheadBytes -= chunk.length
      state.wake()
    })
    while (state.isOpen && state.aheadBytes > feedAheadBytesMax)
      await new Promise<void>(resolve => {
        state.wake = resolve
      })
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

/** Asks the whole group to end, and ends it two seconds later. */
function stopper({ pid, ended }: StartedProgram): () => void {
  const state = { isStopping: false, isOver: false }
  const over = ended.then(
    () => undefined,
    () => undefined,
  )
  const signalGroup = (signal: NodeJS.Signals): void => {
    if (state.isOver) return
    try {
      process.kill(-pid, signal)
    } catch {
      // It ended in this moment.
    }
  }
  void over.then(() => {
    state.isOver = true
  })
  return () => {
    if (state.isStopping) return
    state.isStopping = true
    signalGroup('SIGTERM')
    const timer = setTimeout(() => signalGroup('SIGKILL'), killAfterMs)
    void over.then(() => clearTimeout(timer))
  }
}
