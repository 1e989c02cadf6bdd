/**
 * Starts programs out of a small process.
 *
 * To start a program, the system copies the tables of all memory of whoever starts it, and Node waits until that is done and
 * the program is loaded. Measured in a process of 500 MB: 15 ms of processor time and, on a machine with other work, 150 ms
 * in which the server answers nobody and the terminal draws nothing; out of a process of 50 MB: 1 ms and 3 ms. So a small
 * process does it, forked when the server is young. It listens on a socket that only this user can open; each pipe of a
 * program is a connection to it, and what it has to say comes by messages. When the server is gone, so is everything that
 * was started.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { AppError } from '../../contracts/errors.ts'
import { entryPath } from '../../core/entry.ts'
import { pipeName, type StartReport, type StartRequest } from './starter-messages.ts'

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A program that runs, the first of a session and group of its own. */
export interface StartedProgram {
  readonly pid: number
  /** Its file descriptor 0; null where it has none. */
  readonly stdin: Socket | null
  /** Its file descriptors 1 to 4. */
  readonly outputs: {
    readonly stdout: Socket
    readonly stderr: Socket
    readonly third: Socket
    readonly fourth: Socket
  }
  /** Resolves when it has ended and closed its pipes; what it wrote may still be on its way. */
  readonly ended: Promise<ProgramEnd>
}

interface Run {
  readonly started: PromiseWithResolvers<number>
  readonly ended: PromiseWithResolvers<ProgramEnd>
}

interface Helper {
  readonly process: ChildProcess
  readonly socketPath: string
  readonly runs: Map<number, Run>
}

/** One per engine. */
export class ProcessStarter {
  #helper: Promise<Helper> | null = null
  #lastId = 0

  /** Forks the small process, unless it is there. */
  async open(): Promise<void> {
    await this.#opened()
  }

  /** @throws AppError UNAVAILABLE when it cannot be started */
  async start(request: Omit<StartRequest, 'id'>): Promise<StartedProgram> {
    const helper = await this.#opened()
    this.#lastId += 1
    const id = this.#lastId
    const run: Run = { started: Promise.withResolvers(), ended: Promise.withResolvers() }
    // Who waits for it sees it; a program that nobody waits for any more must not end the server.
    run.ended.promise.catch(() => undefined)
    helper.runs.set(id, run)
    helper.process.channel?.ref()
    helper.process.send({ id, ...request } satisfies StartRequest)
    const connect = (descriptor: number): Socket => {
      const socket = createConnection(helper.socketPath)
      socket.on('error', () => undefined)
      socket.write(`${pipeName(id, descriptor)}\n`)
      return socket
    }
    const stdin = request.hasInput ? connect(0) : null
    const outputs = { stdout: connect(1), stderr: connect(2), third: connect(3), fourth: connect(4) }
    try {
      return { pid: await run.started.promise, stdin, outputs, ended: run.ended.promise }
    } catch (error) {
      for (const socket of [stdin, ...Object.values(outputs)]) socket?.destroy()
      throw error
    }
  }

  /** Waits for what runs, which its owner has told to end, and ends the small process. */
  async close(): Promise<void> {
    const helper = await this.#helper?.catch(() => null)
    if (!helper) return
    this.#helper = null
    await Promise.allSettled([...helper.runs.values()].map(run => run.ended.promise))
    if (helper.process.connected) helper.process.disconnect()
  }

  /** One that has died is forked again. */
  async #opened(): Promise<Helper> {
    if (this.#helper === null) {
      const opening = openHelper(() => {
        if (this.#helper === opening) this.#helper = null
      })
      this.#helper = opening
    }
    return await this.#helper
  }
}

async function openHelper(onGone: () => void): Promise<Helper> {
  const socketPath = join(await mkdtemp(join(tmpdir(), 'cliptape-starter-')), 'socket')
  const child = fork(entryPath('starter-child'), [socketPath], {
    ...{ env: {}, execArgv: [], cwd: '/' },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const helper: Helper = { process: child, socketPath, runs: new Map() }
  const ready = Promise.withResolvers<void>()
  child.on('message', (report: StartReport) => {
    if (report.kind === 'ready') ready.resolve()
    else take(helper, report)
  })
  child.once('exit', () => {
    onGone()
    void rm(dirname(socketPath), { recursive: true, force: true })
    const gone = new AppError('UNAVAILABLE', 'The process that starts decoders has ended: try again.')
    ready.reject(gone)
    for (const run of helper.runs.values()) {
      run.started.reject(gone)
      run.ended.reject(gone)
    }
    helper.runs.clear()
  })
  await ready.promise
  // It holds nobody up while nothing runs.
  child.unref()
  child.channel?.unref()
  return helper
}

function take({ process: child, runs }: Helper, report: Exclude<StartReport, { kind: 'ready' }>): void {
  const run = runs.get(report.id)
  if (!run) return
  if (report.kind === 'started') return run.started.resolve(report.pid)
  runs.delete(report.id)
  if (runs.size === 0) child.channel?.unref()
  if (report.kind === 'ended') return run.ended.resolve({ code: report.code, signal: report.signal })
  const failed = new AppError('UNAVAILABLE', 'The decoder could not be started.')
  run.started.reject(failed)
  run.ended.reject(failed)
}
