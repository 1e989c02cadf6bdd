/** What the main thread tells the PGlite worker. `bytes` is one uninterrupted batch of Postgres frontend messages. */
export type ToWorker = { type: 'connect' } | { type: 'bytes'; bytes: Uint8Array } | { type: 'close' }

/** What the worker tells the main thread. `failed` is followed by its exit. */
export type ToMain = { type: 'ready' } | { type: 'bytes'; bytes: Uint8Array } | { type: 'failed'; message: string }

/** What the worker is started with: an absolute path. */
export interface PgliteWorkerData {
  dataDir: string
}

/** @throws Error when the message is none of ours, which is our bug. */
export function parseToWorker(raw: unknown): ToWorker {
  if (isRecord(raw)) {
    if (raw.type === 'connect' || raw.type === 'close') return { type: raw.type }
    if (raw.type === 'bytes' && raw.bytes instanceof Uint8Array) return { type: 'bytes', bytes: raw.bytes }
  }
  throw new Error('The PGlite worker was sent a message it does not know.')
}

/** @throws Error when the message is none of ours, which is our bug. */
export function parseToMain(raw: unknown): ToMain {
  if (isRecord(raw)) {
    if (raw.type === 'ready') return { type: 'ready' }
    if (raw.type === 'bytes' && raw.bytes instanceof Uint8Array) return { type: 'bytes', bytes: raw.bytes }
    if (raw.type === 'failed' && typeof raw.message === 'string') return { type: 'failed', message: raw.message }
  }
  throw new Error('The PGlite worker sent a message that is not known.')
}

/** @throws Error when the worker was started with anything else, which is our bug. */
export function parseWorkerData(raw: unknown): PgliteWorkerData {
  if (isRecord(raw) && typeof raw.dataDir === 'string') return { dataDir: raw.dataDir }
  throw new Error('The PGlite worker was started without a data folder.')
}

/** True for anything with string keys; narrows what comes from outside without a cast. */
export function isRecord(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null
}
