/**
 * Equal questions share one computation and one serialised answer, whoever asks.
 *
 * Who asks while an equal question is being computed waits for that computation. A change that can touch a finished
 * answer ends it at once, and one that is still being computed gets no further listeners: an answer never lacks rows
 * that were durable, and told of, before it was asked for.
 *
 * While nothing changes, only the window of an answer moves. Such an answer is given again for `keptMs` of real time, as
 * long as a live query lets its window stand, and no more of the world's own time than passes in that (a replay's clock
 * runs faster, that of imported history stands). When it is asked for towards the end of that time, the next one is
 * computed beside, so that nobody waits for it. A node that missed a message gives rows at most `keptMs` late.
 */
import type { Clock } from '../../core/clock.ts'
import type { WorldSource } from '../deps.ts'
import { weakEtag } from '../http/etag.ts'
import type { Change } from '../live/source.ts'

const keptMs = { live: 5000, replay: 1000 } as const
/** From this share of its time on, the next answer is computed beside. */
const freshShare = 0.8
/** Answers that are kept or being computed; the oldest goes first. */
const entriesMax = 1000
const bytesMax = 64 * 1024 * 1024

export interface SharedQuestion {
  /** Equal for equal questions, and only for those; the owner is part of it where the answer depends on one. */
  readonly key: string
  isTouchedBy(change: Change): boolean
  compute(): Promise<SharedContent>
}

export interface SharedContent {
  readonly data: unknown
  /** The other fields of the answer, which change without the answer saying anything else. */
  readonly rest: Readonly<Record<string, unknown>>
  /** Whatever besides `data` an answer with an equal tag must have equal. */
  readonly version?: string
}

/** A JSON body with its entity tag, serialised once. */
export interface SharedAnswer {
  readonly body: Buffer
  readonly etag: string
}

interface Entry {
  readonly question: SharedQuestion
  readonly found: Promise<SharedAnswer>
  readonly database: string
  /** Whether its successor is being computed. */
  isRenewed: boolean
  /** Null while it is being computed. */
  done: { readonly atMs: number; readonly worldMs: number; readonly bytes: number } | null
}

export class SharedAnswers {
  readonly #world: WorldSource
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  /** @param deps.clock real time */
  constructor(deps: { world: WorldSource; clock: Clock }) {
    this.#world = deps.world
    this.#clock = deps.clock
  }

  /** Something happened: what it touches is computed anew when it is asked for again. */
  note(change: Change): void {
    for (const [key, entry] of this.#entries) if (entry.question.isTouchedBy(change)) this.#drop(key, entry)
  }

  /** Rejects as the computation does; a failure is shared by those who wait for it, and not kept. */
  async get(question: SharedQuestion): Promise<SharedAnswer> {
    const known = this.#entries.get(question.key)
    if (!known || !this.#isGood(known)) {
      if (known) this.#drop(question.key, known)
      return await this.#begin(question)
    }
    if (!known.isRenewed && this.#isAging(known)) this.#renew(known)
    return await known.found
  }

  async #begin(question: SharedQuestion): Promise<SharedAnswer> {
    const entry = this.#entryOf(question)
    this.#entries.set(question.key, entry)
    this.#makeRoom()
    try {
      const answer = await entry.found
      if (this.#entries.get(question.key) === entry) this.#keep(entry, answer)
      return answer
    } catch (error) {
      this.#drop(question.key, entry)
      throw error
    }
  }

  /** Puts a newer answer in the place of one that stands, unless a change has ended that meanwhile. */
  #renew(known: Entry): void {
    known.isRenewed = true
    const { key } = known.question
    const entry = this.#entryOf(known.question)
    entry.found.then(
      answer => {
        if (this.#entries.get(key) !== known) return
        this.#drop(key, known)
        this.#entries.set(key, entry)
        this.#keep(entry, answer)
      },
      () => {
        known.isRenewed = false
      },
    )
  }

  #entryOf(question: SharedQuestion): Entry {
    const { database } = this.#world.current()
    return { question, found: question.compute().then(toAnswer), database, isRenewed: false, done: null }
  }

  #keep(entry: Entry, answer: SharedAnswer): void {
    const worldMs = this.#world.current().clock.nowMs()
    entry.done = { atMs: this.#clock.nowMs(), worldMs, bytes: answer.body.length }
    this.#bytes += answer.body.length
    this.#makeRoom()
  }

  #isGood(entry: Entry): boolean {
    const { database, clock } = this.#world.current()
    if (database !== entry.database) return false
    if (entry.done === null) return true
    const passedMs = this.#clock.nowMs() - entry.done.atMs
    const worldPassedMs = clock.nowMs() - entry.done.worldMs
    const mostMs = this.#keptMs()
    return passedMs >= 0 && passedMs <= mostMs && worldPassedMs >= 0 && worldPassedMs <= mostMs * clock.speed
  }

  #isAging(entry: Entry): boolean {
    return entry.done !== null && this.#clock.nowMs() - entry.done.atMs > freshShare * this.#keptMs()
  }

  #keptMs(): number {
    return this.#world.current().clock.speed > 1 ? keptMs.replay : keptMs.live
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry) return
    this.#entries.delete(key)
    this.#bytes -= entry.done?.bytes ?? 0
  }

  #makeRoom(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= entriesMax && this.#bytes <= bytesMax) return
      this.#drop(key, entry)
    }
  }
}

function toAnswer({ data, rest, version = '' }: SharedContent): SharedAnswer {
  const dataJson = JSON.stringify(data)
  const restJson = JSON.stringify(rest)
  const body = Buffer.from(restJson === '{}' ? `{"data":${dataJson}}` : `{"data":${dataJson},${restJson.slice(1)}`)
  return { body, etag: weakEtag(`${version}\n${dataJson}`) }
}
