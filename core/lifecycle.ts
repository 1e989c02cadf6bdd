/**
 * A process's life: things are started in order and stopped in the reverse of it, each with a deadline, so that nothing
 * is taken away from under what still uses it, and nothing that hangs keeps the process for ever.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from './log.ts'

const stopDeadlineMsDefault = 5_000
/** npm, the launcher and the shell may each pass the same Ctrl-C on: what arrives this close together is one. */
const oneSignalMs = 500

export interface Scope {
  /** Starts one thing. Its `stop` runs when the scope ends, before those of everything started earlier. */
  start<T>(
    name: string,
    start: () => Promise<T> | T,
    stop?: (value: T) => Promise<unknown> | unknown,
    options?: { stopDeadlineMs?: number },
  ): Promise<T>
  /** Stops everything, last started first. Idempotent; never rejects: what fails or hangs is logged and left. */
  stop(): Promise<void>
}

/** @param log where failures to stop are told */
export function createScope(log: () => Log | null): Scope {
  const stops: { name: string; stop: () => Promise<unknown> | unknown; deadlineMs: number }[] = []
  let ending: Promise<void> | null = null

  async function stopAll(): Promise<void> {
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await stopOne(next, log())
  }

  return {
    async start(name, start, stop, options) {
      const value = await start()
      if (stop) {
        stops.push({ name, stop: () => stop(value), deadlineMs: options?.stopDeadlineMs ?? stopDeadlineMsDefault })
        // Ended while this was starting: nobody else would stop it.
        if (ending !== null) await ending.then(stopAll)
      }
      return value
    },
    stop() {
      ending ??= stopAll()
      return ending
    },
  }
}

async function stopOne(
  one: { name: string; stop: () => Promise<unknown> | unknown; deadlineMs: number },
  log: Log | null,
): Promise<void> {
  const timer = new AbortController()
  const late = delay(one.deadlineMs, 'late' as const, { signal: timer.signal }).catch(() => 'late' as const)
  try {
    const result = await Promise.race([Promise.resolve(one.stop()).then(() => 'stopped' as const), late])
    if (result === 'late') log?.warn({ part: one.name, deadlineMs: one.deadlineMs }, 'A part did not stop in time.')
  } catch (err) {
    log?.error({ err, part: one.name }, 'A part failed while it stopped.')
  } finally {
    timer.abort()
  }
}

/** Ways in which a process is told to end. */
export interface ProcessEnd {
  /** Resolves when the process should drain: a signal, the launcher gone, or `request` called. */
  readonly requested: Promise<string>
  request(reason: string): void
}

/**
 * Takes the process's signals and uncaught errors. The first SIGINT, SIGTERM or SIGHUP asks for a drain, a second one
 * exits at once with 128 + its number. An uncaught error restores the terminal, is logged, and exits with 1.
 *
 * @param restoreTerminal must be safe to call at any time and more than once
 */
export function watchProcessEnd(options: { log: () => Log | null; restoreTerminal: () => void }): ProcessEnd {
  let end: (reason: string) => void = () => undefined
  const requested = new Promise<string>(resolve => {
    end = resolve
  })
  let firstSignalAtMs: number | null = null

  const onSignal = (signal: NodeJS.Signals, number: number): void => {
    const nowMs = performance.now()
    if (firstSignalAtMs !== null && nowMs - firstSignalAtMs > oneSignalMs) {
      options.restoreTerminal()
      process.exit(128 + number)
    }
    firstSignalAtMs ??= nowMs
    end(signal)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)

  const onFatal = (error: unknown): void => {
    options.restoreTerminal()
    options.log()?.fatal({ err: error }, 'An unexpected error ended the process.')
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(`Cliptape ended because of an unexpected error.\n${text}\n`, () => process.exit(1))
  }
  process.on('uncaughtException', onFatal)
  process.on('unhandledRejection', onFatal)

  // The launcher runs us with a channel: when it is killed, so that no signal reaches us, the channel still closes.
  if (process.channel) {
    process.on('disconnect', () => end('the launcher is gone'))
    process.channel.unref()
  }
  return { requested, request: reason => end(reason) }
}
