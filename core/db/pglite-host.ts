import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { AppError } from '../../contracts/errors.ts'
import { entryPath } from '../entry.ts'
import type { Log } from '../log.ts'
import { type PgliteWorkerData, parseToMain, type ToWorker } from './pglite-messages.ts'

/** A worker that lived this long has shown that it can: after its end the next query starts one at once. */
const stableAfterMs = 60_000
const restartPauseMsMin = 5_000
const restartPauseMsMax = 60_000

/**
 * Keeps the PGlite worker alive and gives a `pg` client something that looks like a socket to it.
 *
 * When the worker dies, what was under way fails as `UNAVAILABLE` and the next query starts a new one, which recovers
 * every acknowledged row. A worker that dies soon after its own restart was no accident (a full disk, a broken file):
 * then queries are refused without a try for 5 s, doubling up to a minute, so that the machine is not kept busy, and the
 * store still comes back by itself when the reason is gone.
 */
export class PgliteHost {
  readonly #dataDir: string
  readonly #log: Log
  #running: RunningWorker | null = null
  #socket: WorkerSocket | null = null
  #earlyDeaths = 0
  #startNotBeforeMs = 0
  #failure: string | null = null
  #isClosed = false

  constructor(options: { dataDir: string; log: Log }) {
    this.#dataDir = options.dataDir
    this.#log = options.log
  }

  /** Starts the worker when there is none; resolves when the engine answers. Rejects with `UNAVAILABLE`. */
  async ready(): Promise<void> {
    const running = this.#running ?? this.#start()
    this.#running = running
    await running.ready
  }

  /** The stream that a `pg` client calls its socket. There is one at a time: the pool holds one connection. */
  openSocket(): Duplex {
    this.#socket = new WorkerSocket(this)
    return this.#socket
  }

  /** Hands a message to the worker, with the memory of the bytes in it; the answer arrives on the socket. */
  send(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    this.#running?.worker.postMessage(message, transfer)
  }

  /** Lets the engine write its shutdown checkpoint and ends the thread. */
  async close(): Promise<void> {
    this.#isClosed = true
    const running = this.#running
    if (!running) return
    await running.ready.catch(() => undefined)
    if (this.#running !== running) return
    const exited = once(running.worker, 'exit')
    this.send({ type: 'close' })
    await exited
  }

  #start(): RunningWorker {
    if (this.#isClosed) throw unavailable('The relational store is closed.')
    if (performance.now() < this.#startNotBeforeMs) throw unavailable(this.#downMessage())
    this.#failure = null
    const workerData: PgliteWorkerData = { dataDir: this.#dataDir }
    // The environment stays out: a worker that holds everybody's rows needs none of the program's secrets.
    const worker = new Worker(entryPath('pglite-worker'), { workerData, env: {} })
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
    // Whoever waits sees the rejection; without a waiter it must not end the process.
    ready.catch(() => undefined)
    const startedAtMs = performance.now()
    worker.on('message', (raw: unknown) => {
      const message = parseToMain(raw)
      if (message.type === 'ready') resolve()
      if (message.type === 'bytes') this.#socket?.push(message.bytes)
      if (message.type === 'failed') this.#failure = message.message
    })
    worker.on('error', error => {
      this.#failure = error.message
    })
    worker.on('exit', code => {
      this.#running = null
      this.#pauseAfter(performance.now() - startedAtMs)
      const socket = this.#socket
      this.#socket = null
      if (this.#isClosed) {
        reject(unavailable('The relational store is closed.'))
        socket?.destroy()
        return
      }
      this.#log.error({ code, failure: this.#failure }, 'The PGlite worker ended.')
      const error = unavailable(this.#downMessage())
      reject(error)
      socket?.destroy(error)
    })
    return { worker, ready }
  }

  /** The first early death is forgiven: whatever killed a fresh worker may be over. */
  #pauseAfter(livedMs: number): void {
    this.#earlyDeaths = livedMs > stableAfterMs ? 0 : this.#earlyDeaths + 1
    if (this.#earlyDeaths < 2) return
    const pauseMs = Math.min(restartPauseMsMax, restartPauseMsMin * 2 ** (this.#earlyDeaths - 2))
    this.#startNotBeforeMs = performance.now() + pauseMs
  }

  #downMessage(): string {
    const reason = this.#failure ? `: ${this.#failure}` : ''
    return `The relational store in ${this.#dataDir} stopped${reason}. Try again; if it stays so, run cliptape doctor.`
  }
}

interface RunningWorker {
  worker: Worker
  /** Settles when the engine answers, or when the worker ended before that. */
  ready: Promise<void>
}

/** The part of `net.Socket` that the `pg` client uses, over the worker's message port. */
class WorkerSocket extends Duplex {
  readonly #host: PgliteHost

  constructor(host: PgliteHost) {
    super()
    this.#host = host
  }

  connect(): this {
    this.#host.ready().then(
      () => {
        this.#host.send({ type: 'connect' })
        this.emit('connect')
      },
      (error: Error) => this.destroy(error),
    )
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // A copy of its own: a chunk is a view of the client's buffer pool, which would be cloned whole with it.
    const bytes = new Uint8Array(chunk)
    this.#host.send({ type: 'bytes', bytes }, [bytes.buffer])
    done()
  }

  // The client corks while it writes parse, bind, describe, execute and sync: they reach the worker as one batch.
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'utf8', done)
  }

  override _final(done: (error?: Error | null) => void): void {
    done()
    this.push(null)
    this.destroy()
  }
}

function unavailable(message: string): AppError {
  return new AppError('UNAVAILABLE', message)
}
