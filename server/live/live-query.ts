import { AppError, type ErrorCode } from '../../contracts/errors.ts'
import { diffRows, type TextPatch, type TextRow, textRows } from './diff.ts'
import type { LiveAnswer, LiveQuestion } from './source.ts'

/** A state that subscribers are told of. The text behind `id` is made once, whoever watches. */
export interface SharedFrame {
  readonly type: 'snapshot' | 'patch'
  /** The version of the answer that holds after this frame; the `seq` of the protocol. */
  readonly version: number
  readonly tail: Buffer
}

/** Who watches a query: one subscription of one connection. */
export interface Watcher {
  /** The query has a new version; `patch` leads there from the version before. */
  onVersion(query: LiveQuery, patch: SharedFrame): void
  onFailure(query: LiveQuery, failure: Failure): void
}

export interface Failure {
  readonly code: ErrorCode
  readonly message: string
}

/** Patches kept for those who come back: bounded by number and by bytes, the older ones go first. */
const ringLimits = { patchesMax: 64, bytesMax: 1024 * 1024 } as const
/** An answer whose rows are equal is published anyway after this long, so that `asOf` stays believable. */
const quietMs = 1000

/**
 * One live query: the newest answer, its version, the patches that led there, and who watches. It knows nothing of time
 * and scheduling (`engine.ts`) nor of sockets (`ws/`).
 */
export class LiveQuery {
  readonly question: LiveQuestion
  readonly watchers = new Set<Watcher>()
  /** Sessions that may come back and hold on to the answer meanwhile. */
  keptBy = 0
  version = 0
  failure: Failure | null = null
  /** Size of the newest frame's text, in bytes. */
  lastFrameBytes = 0
  /** `columns`, and `columnTypes` where there are some, as they stand in a frame. */
  #columnsJson = '"columns":[]'
  #rows: TextRow[] = []
  #asOf = ''
  #publishedAtMs = 0
  #hasAnswer = false
  #snapshot: SharedFrame | null = null
  #ring: SharedFrame[] = []
  #ringBytes = 0

  constructor(question: LiveQuestion) {
    this.question = question
  }

  get hasAnswer(): boolean {
    return this.#hasAnswer
  }

  /** Takes a computed answer. Returns how many rows were dropped because their key came twice: zero unless we have a bug. */
  accept(answer: LiveAnswer, nowMs: number): number {
    const { rows, duplicateCount } = textRows(answer.rows)
    const asOf = answer.asOf.toISOString()
    const typesJson = answer.columnTypes ? `,"columnTypes":${JSON.stringify(answer.columnTypes)}` : ''
    const columnsJson = `"columns":${JSON.stringify(answer.columns)}${typesJson}`
    const patch = diffRows(this.#rows, rows)
    const hadFailed = this.failure !== null
    const isSame = this.hasAnswer && !patch && !hadFailed && columnsJson === this.#columnsJson
    if (isSame && (asOf === this.#asOf || nowMs - this.#publishedAtMs < quietMs)) return duplicateCount
    const isFirst = !this.hasAnswer || columnsJson !== this.#columnsJson
    this.#rows = rows
    this.#columnsJson = columnsJson
    this.#asOf = asOf
    this.#publishedAtMs = nowMs
    this.#snapshot = null
    this.failure = null
    this.#hasAnswer = true
    this.version += 1
    this.#publish(isFirst ? this.snapshot() : this.#patchFrame(patch ?? { upsert: [], remove: [], order: null }))
    return duplicateCount
  }

  /** Drops an answer that nobody watches and that is no longer about the present world: the next one is sent whole. */
  invalidate(): void {
    this.#hasAnswer = false
    this.version += 1
    this.failure = null
    this.#rows = []
    this.#snapshot = null
    this.#forgetPatches()
  }

  /** Takes a failed computation: watchers are told when it is another failure than before; the last answer stays. */
  fail(error: unknown): void {
    const failure =
      error instanceof AppError
        ? { code: error.code, message: error.message }
        : { code: 'INTERNAL' as const, message: 'This live query could not be computed: look at the server log.' }
    if (this.failure?.code === failure.code && this.failure.message === failure.message) return
    this.failure = failure
    for (const watcher of this.watchers) watcher.onFailure(this, failure)
  }

  /** The whole answer as it is now; made at most once per version. */
  snapshot(): SharedFrame {
    this.#snapshot ??= {
      type: 'snapshot',
      version: this.version,
      tail: Buffer.from(
        `"seq":${this.version},"asOf":"${this.#asOf}",${this.#columnsJson},"rows":[${this.#rows.map(row => row.json).join(',')}]}`,
      ),
    }
    return this.#snapshot
  }

  /** The patches from `version` to now, in order; `null` when they are no longer (or never were) all here. */
  patchesSince(version: number): SharedFrame[] | null {
    if (!this.#hasAnswer) return null
    if (version === this.version) return []
    const patches = this.#ring.filter(frame => frame.version > version)
    return version < this.version && patches[0]?.version === version + 1 ? patches : null
  }

  #publish(frame: SharedFrame): void {
    if (frame.type === 'patch') this.#keep(frame)
    else this.#forgetPatches()
    this.lastFrameBytes = frame.tail.length
    for (const watcher of this.watchers) watcher.onVersion(this, frame)
  }

  #patchFrame(patch: TextPatch): SharedFrame {
    const tail = Buffer.from(
      `"seq":${this.version},"asOf":"${this.#asOf}","upsert":[${patch.upsert.join(',')}],"remove":${JSON.stringify(patch.remove)},"order":${JSON.stringify(patch.order)}}`,
    )
    return { type: 'patch', version: this.version, tail }
  }

  #keep(frame: SharedFrame): void {
    this.#ring.push(frame)
    this.#ringBytes += frame.tail.length
    while (this.#ring.length > ringLimits.patchesMax || this.#ringBytes > ringLimits.bytesMax) {
      this.#ringBytes -= this.#ring.shift()?.tail.length ?? 0
    }
  }

  #forgetPatches(): void {
    this.#ring = []
    this.#ringBytes = 0
  }
}

/** The frame as one subscription gets it: the shared text behind its own id. */
export function frameBytes(frame: SharedFrame, id: string): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${frame.type}","id":${JSON.stringify(id)},`), frame.tail])
}
