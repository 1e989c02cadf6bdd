/**
 * The thread that holds PGlite. It blocks for the whole of a query (a 909 ms query stopped the event loop for 913 ms),
 * so it never runs in the main thread.
 *
 * What travels is the Postgres wire protocol itself: the main thread has an ordinary `pg` client whose "socket" is this
 * thread. Types, errors and SQLSTATEs are therefore those of a real Postgres by construction, and nothing has to be
 * translated twice. Refused: `pglite.query()` behind our own messages (its types and errors differ from pg's), and the
 * package's own `node-postgres` adapter (runs in the thread that uses it).
 *
 * Durability. As shipped PGlite never reaches the disk: `-F` in the start parameters, `wal_sync_method` a no-op in this
 * build, and a file system without fsync. All three are put right here, and a commit that does not raise the fsync
 * count ends the thread before anybody is told that the store is open. A failed fsync ends it as well: what the kernel
 * still holds is unknown then, and only recovery from the log can tell (what Postgres does with a panic).
 *
 * Housekeeping. PGlite is one process without helpers: nothing ever writes a checkpoint or cleans dead rows, so the log
 * would grow until the program ends (measured: 26 segments, 417 MB, after 400 MB of inserts) and recovery with it. The
 * thread does both itself, after so many bytes of log and between two transactions.
 *
 * A new store is made beside its place and renamed there once every file of it is on disk: a process killed during the
 * first start leaves nothing that looks like a store.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { vector } from '@electric-sql/pglite-pgvector'
import { isRecord, parseToWorker, parseWorkerData, type ToMain } from './pglite-messages.ts'

/** The engine's own last words; other lines of its log may quote statements and are not kept. */
let lastPanic = 'the engine ended by itself'

/** About half of it is the zeroing of new segments. A checkpoint of that much takes a fraction of a second. */
const walBytesPerCheckpoint = 96 * 1024 * 1024

class DurableNodeFs extends NodeFS {
  fsyncCount = 0
  walBytes = 0

  override async init(...args: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...args)
    emscriptenOpts.onAbort = () => fail(lastPanic)
    emscriptenOpts.preRun = [...(emscriptenOpts.preRun ?? []), mod => this.#addFsync(mod)]
    return { emscriptenOpts }
  }

  #addFsync(mod: { FS: object }): void {
    const systems = 'filesystems' in mod.FS ? mod.FS.filesystems : undefined
    const nodeFs = isRecord(systems) ? systems.NODEFS : undefined
    const streamOps = isRecord(nodeFs) ? nodeFs.stream_ops : undefined
    if (!isRecord(nodeFs) || !isRecord(streamOps))
      throw new Error('This PGlite build has no NODEFS stream operations to add fsync to.')
    const write = streamOps.write
    if (typeof write !== 'function') throw new Error('This PGlite build has no NODEFS write to count.')
    streamOps.write = (stream: { path?: string }, ...rest: unknown[]) => {
      const written: unknown = write(stream, ...rest)
      if (typeof written === 'number' && stream.path?.includes('/pg_wal/')) this.walBytes += written
      return written
    }
    const realPath = nodeFs.realPath
    if (typeof realPath !== 'function') throw new Error('This PGlite build has no NODEFS paths.')
    streamOps.fsync = (stream: { nfd?: number; node: unknown }) => {
      try {
        // A folder has no descriptor in this file system: Postgres asks for its fsync after a rename.
        if (stream.nfd === undefined) fsyncPath(String(realPath(stream.node)))
        else fsyncSync(stream.nfd)
      } catch (error) {
        fail(error)
      }
      this.fsyncCount += 1
      return 0
    }
  }
}

const startParams = [
  ...PGlite.defaultStartParams.filter(param => param !== '-F'),
  ...['-c', 'fsync=on', '-c', 'wal_sync_method=fsync', '-c', 'synchronous_commit=on'],
  // How many log segments a checkpoint keeps for later use.
  ...['-c', 'max_wal_size=64MB', '-c', 'min_wal_size=32MB'],
]

function post(message: ToMain): void {
  parentPort?.postMessage(message)
}

async function openEngine(dataDir: string): Promise<{ engine: PGlite; files: DurableNodeFs }> {
  const files = new DurableNodeFs(dataDir)
  const engine = await PGlite.create({ fs: files, startParams, extensions: { vector }, onStderr: notePanic })
  return { engine, files }
}

/** Makes a whole store in `<dataDir>.new`, puts every file of it on disk, and moves it to its place in one step. */
async function createStore(dataDir: string): Promise<void> {
  const making = `${dataDir}.new`
  rmSync(making, { recursive: true, force: true })
  mkdirSync(dirname(dataDir), { recursive: true })
  const { engine } = await openEngine(making)
  await engine.close()
  fsyncTree(making)
  // An empty folder may stand there already; rename replaces it, and fails on one that holds something.
  renameSync(making, dataDir)
  fsyncPath(dirname(dataDir))
}

function fsyncTree(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name)
    if (entry.isDirectory()) fsyncTree(child)
    else if (entry.isFile()) fsyncPath(child)
  }
  fsyncPath(path)
}

function fsyncPath(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

async function assertCommitsReachDisk(engine: PGlite, files: DurableNodeFs): Promise<void> {
  const before = files.fsyncCount
  await engine.query(`select pg_logical_emit_message(true, 'cliptape', 'does a commit reach the disk?')`)
  if (files.fsyncCount === before) throw new Error('A commit did not reach fsync: this PGlite build is not durable.')
}

/** Runs one batch of wire messages (a whole query, or parse to sync) and gives back what the backend answered. */
async function runProtocol(engine: PGlite, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  // The bytes are a view of the engine's memory: copy before it moves on.
  await engine.execProtocolRawStream(bytes, { syncToFs: false, onRawData: data => chunks.push(data.slice()) })
  const answer = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    answer.set(chunk, offset)
    offset += chunk.length
  }
  return answer
}

/** True when the answer ends with ReadyForQuery in state idle: no transaction is open. */
function isIdle(answer: Uint8Array): boolean {
  const end = answer.length
  return answer[end - 6] === 'Z'.charCodeAt(0) && answer[end - 1] === 'I'.charCodeAt(0)
}

async function keepHouse(engine: PGlite, files: DurableNodeFs): Promise<void> {
  await engine.exec('vacuum analyze')
  await engine.exec('checkpoint')
  files.walBytes = 0
}

/** There is one backend for ever: what the last client left (an open transaction, a role) must not reach the next. */
async function resetSession(engine: PGlite): Promise<void> {
  await engine.exec('rollback')
  await engine.exec('discard all')
}

async function main(): Promise<void> {
  const { dataDir } = parseWorkerData(workerData)
  if (!existsSync(join(dataDir, 'PG_VERSION'))) await createStore(dataDir)
  const { engine, files } = await openEngine(dataDir)
  await assertCommitsReachDisk(engine, files)

  // One after the other: the engine has one connection, and a batch must end before the next begins.
  let tail: Promise<void> = Promise.resolve()
  parentPort?.on('message', (raw: unknown) => {
    tail = tail.then(() => handle(raw)).catch(fail)
  })
  post({ type: 'ready' })

  async function handle(raw: unknown): Promise<void> {
    const message = parseToWorker(raw)
    if (message.type === 'connect') await resetSession(engine)
    if (message.type === 'bytes') {
      const answer = await runProtocol(engine, message.bytes)
      const isBetweenTransactions = isIdle(answer)
      parentPort?.postMessage({ type: 'bytes', bytes: answer } satisfies ToMain, [answer.buffer])
      if (isBetweenTransactions && files.walBytes > walBytesPerCheckpoint) await keepHouse(engine, files)
    }
    if (message.type === 'close') {
      await engine.close()
      process.exit(0)
    }
  }
}

function notePanic(line: string): boolean {
  const found = /(?:PANIC|FATAL): +(.*)/.exec(line)
  if (found?.[1]) lastPanic = found[1]
  return false
}

function fail(reason: unknown): never {
  post({ type: 'failed', message: reason instanceof Error ? reason.message : String(reason) })
  process.exit(1)
}

main().catch(fail)
