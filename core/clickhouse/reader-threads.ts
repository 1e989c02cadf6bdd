import { Worker } from 'node:worker_threads'
import { entryPath } from '../entry.ts'
import type { FromReader, ToReader } from './reader-messages.ts'

/** What a thread answered with instead of rows. `code` is the engine's error number. */
export class ReaderFailure extends Error {
  readonly clickhouseCode: number

  constructor(message: string, clickhouseCode: number) {
    super(message)
    this.clickhouseCode = clickhouseCode
  }
}

interface Reader {
  readonly thread: Worker
  hear: (message: FromReader) => void
}

/** Threads that read statements for the engine's process (`chdb-reader.ts`), made when they are first needed. */
export class ReaderThreads {
  readonly #dataDir: string
  readonly #idle: Reader[] = []

  /** @param dataDir of the engine that this process holds open */
  constructor(dataDir: string) {
    this.#dataDir = dataDir
  }

  /**
   * The answer of one statement in parts, each fetched when it is asked for. Whoever stops early ends the statement with
   * its next part.
   *
   * @param statement.args settings of its session, as `SessionPool` takes them
   * @throws ReaderFailure
   */
  async *read(statement: {
    args: readonly string[]
    sql: string
    format: string
  }): AsyncGenerator<Uint8Array, void, void> {
    const reader = this.#idle.pop() ?? this.#open()
    let isOver = false
    try {
      for (let order: ToReader = { kind: 'run', ...statement }; ; order = { kind: 'more' }) {
        const message = await answerOf(reader, order)
        isOver = message.kind !== 'chunk'
        if (message.kind === 'end') return
        if (message.kind === 'failed') throw new ReaderFailure(message.message, message.code)
        yield message.bytes
      }
    } finally {
      if (!isOver) await answerOf(reader, { kind: 'stop' })
      this.#idle.push(reader)
    }
  }

  #open(): Reader {
    const thread = new Worker(entryPath('chdb-reader'), { workerData: this.#dataDir, env: {} })
    const reader: Reader = { thread, hear: () => {} }
    thread.on('message', (message: FromReader) => reader.hear(message))
    // A thread that ends takes the engine's connections of the whole process with it: better to start anew.
    const die = () => process.kill(process.pid, 'SIGKILL')
    thread.on('error', die)
    thread.on('exit', die)
    return reader
  }
}

function answerOf(reader: Reader, order: ToReader): Promise<FromReader> {
  return new Promise(resolve => {
    reader.hear = resolve
    reader.thread.postMessage(order)
  })
}
