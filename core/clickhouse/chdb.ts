/**
 * The embedded analytics store: starts the engine's process, watches it, and starts it again when it ends.
 *
 * Three things end it: a crash; a query that outlived three times its limit (the child ends itself, see there); and a
 * child that leaves `unansweredMax` pings without an answer, which we kill. Whatever was under way then fails as `UNAVAILABLE`, which is
 * retryable; requests that come while it starts wait up to `startWaitMs` and then fail in the same way. Acknowledged
 * inserts are on disk and are not lost. Restarts wait longer each time until the engine has stayed up for a while.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { Agent, get, type RequestOptions } from 'node:http'
import { tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { AppError } from '../../contracts/errors.ts'
import { entryPath } from '../entry.ts'
import type { Log } from '../log.ts'
import type { ChildLimits, ChildMessage, ChildOptions } from './child-protocol.ts'
import { createAnalyticsClient } from './client.ts'
import type { AnalyticsStatus, AnalyticsStore } from './port.ts'
import { type Sandbox, shutIn } from './sandbox.ts'

const startMsMax = 60_000
const startWaitMs = 5_000
const closeMsMax = 8_000
const pingEveryMs = 2_000
/** Pings in a row without an answer, about twenty seconds. */
const unansweredMax = 10
const restartPauseMsMin = 20
const restartPauseMsMax = 2_000
/** Up this long, and the next restart is a first one again. */
const stableMs = 10_000
/** A unix socket's address holds 108 bytes on Linux and 104 on macOS. */
const socketPathBytesMax = 100
const mebibyte = 1024 * 1024

const defaultLimits: ChildLimits = {
  concurrentMax: 8,
  readOnlyConcurrentMax: 3,
  queuedMax: 256,
  bodyBytesMax: 256 * mebibyte,
  memoryBytesMax: Math.min(Math.max(Math.floor(totalmem() / 2), 1024 * mebibyte), 8192 * mebibyte),
}

export interface ChdbOptions {
  /** The engine's folder; it must be on a local disk and belong to one store at a time. */
  readonly dataDir: string
  readonly log: Log
  /** Listen on this port of 127.0.0.1 instead of a private socket: a stand-in for a server, in tests. */
  readonly port?: number
  readonly limits?: Partial<ChildLimits>
  /** Shuts the engine's process in; it starts 0.1 to 0.4 s later. */
  readonly sandbox?: Sandbox | null
}

/**
 * Starts the engine and waits until it answers.
 *
 * @throws AppError UNAVAILABLE when it does not start: the sentence says why (another process has the folder, it is damaged)
 */
export async function startChdb(o: ChdbOptions): Promise<AnalyticsStore> {
  const host = new ChdbHost(o)
  await host.start()
  return createAnalyticsClient({
    url: host.url,
    agent: host.agent,
    whenUp: () => host.whenUp(),
    status: () => host.status(),
    close: () => host.close(),
  })
}

class ChdbHost {
  readonly agent: Agent
  readonly url: string
  readonly #options: ChildOptions
  readonly #sandbox: Sandbox | null
  readonly #log: Log
  #child: ChildProcess | null = null
  #state: AnalyticsStatus['state'] = 'down'
  #version = ''
  #restartCount = 0
  #restartPauseMs = restartPauseMsMin
  #isClosing = false
  #upAtMs = 0
  /** Resolved by the next start, for the requests that wait for it. */
  #up = Promise.withResolvers<void>()
  #pinging: NodeJS.Timeout | null = null

  constructor({ dataDir, log, port, limits, sandbox }: ChdbOptions) {
    const runtimeDir = runtimeFolder(resolve(dataDir))
    const socketPath = join(runtimeDir, 'engine.sock')
    this.#log = log
    this.#sandbox = sandbox ?? null
    this.#options = {
      dataDir: resolve(dataDir),
      runtimeDir,
      listen: port === undefined ? { socketPath } : { port },
      limits: { ...defaultLimits, ...limits },
    }
    this.agent = new Agent({ keepAlive: true, ...(port === undefined ? { socketPath } : {}) })
    this.url = port === undefined ? 'http://engine' : `http://127.0.0.1:${port}`
  }

  async start(): Promise<void> {
    await mkdir(this.#options.dataDir, { recursive: true, mode: 0o700 })
    try {
      await this.#launch()
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      // The runtime folder may be that of a living store: it stays.
      throw new AppError(
        'UNAVAILABLE',
        `The analytics store in ${this.#options.dataDir} could not be opened (${reason}): see that no other process uses it.`,
        { cause },
      )
    }
    this.#watch()
  }

  async whenUp(): Promise<void> {
    if (this.#state === 'up') return
    if (this.#isClosing) throw new AppError('UNAVAILABLE', 'The analytics store is closed.')
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => reject(new AppError('UNAVAILABLE', 'The analytics store is restarting: try again in a moment.')),
      startWaitMs,
    )
    try {
      await Promise.race([this.#up.promise, late])
    } finally {
      clearTimeout(timer)
    }
  }

  status(): AnalyticsStatus {
    return {
      kind: 'embedded',
      state: this.#state,
      version: this.#version,
      restartCount: this.#restartCount,
      pid: this.#state === 'up' ? (this.#child?.pid ?? null) : null,
    }
  }

  async close(): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#state = 'down'
    if (this.#pinging) clearInterval(this.#pinging)
    this.agent.destroy()
    const child = this.#child
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const exited = new Promise<void>(done => child.once('exit', () => done()))
      // A child that ends at this moment takes no message any more, which is as well.
      if (child.connected) child.send({ kind: 'close' }, () => {})
      const timer = setTimeout(() => child.kill('SIGKILL'), closeMsMax)
      await exited
      clearTimeout(timer)
    }
    await rm(this.#options.runtimeDir, { recursive: true, force: true })
  }

  /** One process from fork to ready. @throws Error when it ends or stays silent instead */
  async #launch(): Promise<void> {
    const child = await this.#spawn()
    this.#child = child
    child.stderr?.on('data', (text: Buffer) => {
      this.#log.warn({ text: text.toString('utf8').slice(0, 2_000) }, 'The analytics engine says something.')
    })
    const message = await firstMessage(child)
    if (message.kind === 'failed') throw new Error(message.reason)
    child.once('exit', (code, signal) => this.#onExit(code, signal))
    this.#version = message.version
    this.#upAtMs = performance.now()
    this.#state = 'up'
    this.#up.resolve()
  }

  async #spawn(): Promise<ChildProcess> {
    const { limits, dataDir, runtimeDir, listen } = this.#options
    const entry = [entryPath('chdb-child'), JSON.stringify(this.#options)] as const
    const options = {
      // Empty but for this: what a query could read of the environment is nothing. The engine's calls run on this pool.
      env: { UV_THREADPOOL_SIZE: String(limits.concurrentMax + limits.readOnlyConcurrentMax + 4), TZ: 'UTC' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'] as ['ignore', 'ignore', 'pipe', 'ipc'],
    }
    if (this.#sandbox === null) return fork(entry[0], [entry[1]], { ...options, execArgv: [] })
    await mkdir(runtimeDir, { recursive: true, mode: 0o700 })
    const { file, args } = shutIn(this.#sandbox, {
      writable: [dataDir, runtimeDir],
      hasNetwork: 'port' in listen,
      command: [process.execPath, ...entry],
    })
    // In a session of its own: what a terminal sends to the whole group would end `bwrap`, and the engine with it.
    return spawn(file, args, { ...options, detached: true })
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#isClosing) return
    this.#log.warn({ code, signal }, 'The analytics engine ended and is started again.')
    this.#state = 'restarting'
    this.#up = Promise.withResolvers<void>()
    this.#restartCount += 1
    if (performance.now() - this.#upAtMs > stableMs) this.#restartPauseMs = restartPauseMsMin
    this.#restartLater()
  }

  #restartLater(): void {
    const pauseMs = this.#restartPauseMs
    this.#restartPauseMs = Math.min(pauseMs * 2, restartPauseMsMax)
    setTimeout(() => {
      if (this.#isClosing) return
      this.#launch().catch((error: unknown) => {
        this.#log.error({ err: error }, 'The analytics engine did not start.')
        if (!this.#isClosing) this.#restartLater()
      })
    }, pauseMs)
  }

  /**
   * Kills a child whose event loop stands still; its queries' own limits are watched by the child. Unanswered pings are
   * counted and no time is measured, because our own loop may stand still as well. They have connections of their own:
   * the client keeps a timer on each of its sockets, and one that somebody else used in between ends a later query.
   */
  #watch(): void {
    const agent = new Agent({ keepAlive: false })
    let unanswered = 0
    this.#pinging = setInterval(() => {
      if (this.#state !== 'up') {
        unanswered = 0
        return
      }
      if (unanswered >= unansweredMax) {
        this.#log.error('The analytics engine does not answer and is killed.')
        unanswered = 0
        this.#child?.kill('SIGKILL')
        return
      }
      unanswered += 1
      const request = get(this.#pingTarget(agent), response => {
        unanswered = 0
        response.resume()
      })
      request.on('error', () => {})
    }, pingEveryMs)
    this.#pinging.unref()
  }

  #pingTarget(agent: Agent): RequestOptions {
    const { listen } = this.#options
    const place = 'socketPath' in listen ? { socketPath: listen.socketPath } : { host: '127.0.0.1', port: listen.port }
    return { ...place, path: '/ping', agent }
  }
}

/** Beside the data when the socket's address fits, else in the system's folder for temporary files. */
function runtimeFolder(dataDir: string): string {
  const beside = `${dataDir}-run`
  if (Buffer.byteLength(join(beside, 'engine.sock')) < socketPathBytesMax) return beside
  return mkdtempSync(join(tmpdir(), 'cliptape-'))
}

async function firstMessage(child: ChildProcess): Promise<ChildMessage> {
  const { promise, resolve: settle, reject } = Promise.withResolvers<ChildMessage>()
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
    reject(new Error('it did not start in time'))
  }, startMsMax)
  const onExit = (code: number | null) => reject(new Error(`its process ended with code ${code}`))
  child.once('exit', onExit)
  child.once('error', reject)
  // Only our own child writes on this channel, and it is typed at its end.
  child.once('message', message => settle(message as ChildMessage))
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    child.off('exit', onExit)
    child.off('error', reject)
  }
}
