/**
 * A thread of the engine's process that reads users' statements chunk by chunk. The engine works out scalar subqueries in
 * the call that opens a stream: on the process's main thread that would keep everybody waiting, those who want to stop
 * the query first of all.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { engineErrorCode } from './engine-error-code.ts'
import type { FromReader, ToReader } from './reader-messages.ts'
import { SessionPool } from './session-pool.ts'

const port = parentPort
if (port === null) throw new Error('This is the entry of a thread.')
const pool = new SessionPool(String(workerData))
let next: PromiseWithResolvers<'more' | 'stop'> | null = null

port.on('message', (message: ToReader) => {
  if (message.kind === 'run') void run(message)
  else next?.resolve(message.kind)
})

async function run({ args, sql, format }: Extract<ToReader, { kind: 'run' }>): Promise<void> {
  try {
    await pool.use(args, async session => {
      for await (const chunk of session.queryStream(sql, { format })) {
        next = Promise.withResolvers()
        const bytes = new Uint8Array(chunk.raw())
        say({ kind: 'chunk', bytes }, [bytes.buffer])
        if ((await next.promise) === 'stop') throw new Error('Nobody reads on.')
      }
    })
    say({ kind: 'end' })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    say({ kind: 'failed', message, code: engineErrorCode(error) })
  } finally {
    next = null
  }
}

function say(message: FromReader, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer)
}
