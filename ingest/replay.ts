/**
 * A replay plays a historical file as if it were live: in a world of its own, with a clock of its own.
 *
 * The world is a database of its own with the same tables (`replay`), so its rows can never mix with real ones; every
 * window asks the world's clock what time it is, and that clock runs `speed` times as fast as real time from an instant
 * in the file's past. A few days are loaded at once, so that the screen is full from the start; then rows arrive when
 * the clock reaches them.
 *
 * Many tables give only a date. Their rows are read as midnight of that day, and delivering two hundred of them in one
 * instant would make a screen that stands still for a day and then jumps. They are delivered evenly over the day that
 * begins with that midnight instead, in the file's order. This changes when we *learn* of a reading, never the reading:
 * `observed_at` stays what the source says, the clock is past it when the row arrives, and so every gain and velocity is
 * computed between the same two instants as in an import. A real feed is no different: readings arrive late.
 *
 * At the end a looped replay clears its world and begins again; else the clock stands still at the last day's end, so
 * that the numbers do not go stale. The file is held in memory (at most `recordsMax` records), because files are not
 * sorted by time.
 */
import { resolve } from 'node:path'
import { AppError } from '../contracts/errors.ts'
import type { Item } from '../contracts/samples.ts'
import type { WorldStatus } from '../contracts/ws.ts'
import { type Clock, virtualClock } from '../core/clock.ts'
import type { Touched } from '../core/touched.ts'
import type { World, WorldDatabase } from '../core/world.ts'
import { packageRoot } from '../sql/read.ts'
import { checkItems } from './check.ts'
import { openFile } from './open-file.ts'
import { outOfRange, Tally } from './pipeline.ts'
import { fileSource } from './read/records.ts'
import type { IngestStats } from './stats.ts'
import { bulkLimits, createWriter, type Writer, type WriterDeps } from './writer.ts'

/** The small real sample that ships with Cliptape; see `ingest/sample/ATTRIBUTION.md`. */
export const sampleFile = resolve(packageRoot, 'ingest/sample/USvideos_first15days.csv.gz')

/** The real world can neither be replayed into nor dropped. */
type ReplayDatabase = Exclude<WorldDatabase, 'cliptape'>

/** What a replay stands on. */
export interface ReplayDeps extends Omit<WriterDeps, 'world' | 'settle'> {
  /** As of a writer, in the replay's world: its clock says which boundaries have passed. */
  readonly settle: (touched: Touched, world: World) => Promise<void>
  /** Counts for OPS; left out where nobody looks. */
  readonly stats?: IngestStats
  /** Makes the tables of a replay's world; idempotent. */
  readonly prepareWorld: (database: ReplayDatabase) => Promise<unknown>
  /** Drops a replay's world with all of its rows. */
  readonly dropWorld: (database: ReplayDatabase) => Promise<unknown>
}

export interface ReplayOptions {
  /** Absolute path of any file that can be imported. */
  readonly file: string
  /** Names the format instead of recognising it. */
  readonly format?: string
  /** Seconds of data time in a second of real time, from 1 to 1,000,000. */
  readonly speed: number
  /** Begins again at the end, with an empty world. */
  readonly loop: boolean
  /** How many days of the file are loaded at once; 3 when not given. */
  readonly preloadDays?: number
}

export interface Replay {
  /** The replay's database and clock, for everything that looks at its numbers. */
  readonly world: World
  status(): WorldStatus
  /** Writes the rows that are due by now, and begins again at the end of a loop; the replay's own timer calls it. */
  deliverDue(): Promise<void>
  /** Ends the replay and drops its rows. */
  stop(): Promise<void>
}

const dayMs = 86_400_000
const tickMs = 250
const recordsMax = 500_000
const database = 'replay' satisfies ReplayDatabase

/** Items that belong together, and when the replay tells of them. */
interface Delivery {
  readonly atMs: number
  readonly items: readonly Item[]
}

interface Score {
  readonly deliveries: readonly Delivery[]
  readonly firstAtMs: number
  readonly endAtMs: number
  readonly title: string
  readonly sources: string[]
  /** Of the file as a whole. */
  readonly sourceName: string
  /** What the file's records were; `accepted` are the deliveries. */
  readonly tally: Tally
}

/**
 * Reads a file and begins to play it.
 * @throws BAD_REQUEST when the file cannot be read, has no readings of videos, or is too large; the refusals of openFile
 */
export async function startReplay(deps: ReplayDeps, options: ReplayOptions): Promise<Replay> {
  if (!(options.speed >= 1 && options.speed <= 1_000_000)) {
    throw new AppError('BAD_REQUEST', 'The speed of a replay is a number from 1 to 1000000 (data seconds a second).')
  }
  const score = await readScore(options)
  const startAtMs = Math.min(score.firstAtMs + (options.preloadDays ?? 3) * dayMs, score.endAtMs)
  return Player.start(deps, options, score, startAtMs)
}

class Player implements Replay {
  readonly world: World
  readonly #deps: ReplayDeps
  readonly #options: ReplayOptions
  readonly #score: Score
  readonly #startAtMs: number
  /** Stands still until the first rows are there. */
  #clock: Clock
  #writer: Writer
  #next = 0
  #timer: NodeJS.Timeout | null = null
  #delivering: Promise<void> | null = null
  #isStopped = false
  readonly #gone = new AbortController()
  #counted = 0
  readonly #counter: ReturnType<IngestStats['source']> | undefined
  #unwatch: (() => void) | undefined

  static async start(deps: ReplayDeps, options: ReplayOptions, score: Score, startAtMs: number): Promise<Player> {
    const player = new Player(deps, options, score, startAtMs)
    // Rows of a replay that was killed may be there, perhaps with an older schema.
    await deps.dropWorld(database)
    await deps.prepareWorld(database)
    await player.#begin()
    player.#unwatch = deps.stats?.watchWriter('replay', player.#writer)
    player.#count()
    player.#timer = setInterval(() => {
      player.deliverDue().catch(error => deps.log.error({ err: error }, 'The replay could not write its rows.'))
    }, tickMs)
    return player
  }

  private constructor(deps: ReplayDeps, options: ReplayOptions, score: Score, startAtMs: number) {
    this.#deps = deps
    this.#options = options
    this.#score = score
    this.#startAtMs = startAtMs
    this.#clock = { speed: 0, nowMs: () => startAtMs }
    const nowMs = () => Math.min(this.#clock.nowMs(), score.endAtMs)
    this.world = { database, clock: { speed: options.speed, nowMs }, gone: this.#gone.signal }
    const settle = (touched: Touched) => deps.settle(touched, this.world)
    this.#writer = createWriter({ ...deps, world: this.world, settle }, bulkLimits)
    this.#counter = deps.stats?.source(`replay of ${score.sourceName}`)
  }

  status(): WorldStatus {
    const nowMs = this.world.clock.nowMs()
    const isOver = !this.#options.loop && nowMs >= this.#score.endAtMs
    return {
      mode: 'replay',
      notice: `${this.#score.title}${isOver ? ' It has reached its end.' : ''} Not live data.`,
      now: new Date(nowMs).toISOString(),
      speed: this.#options.speed,
      sources: this.#score.sources,
    }
  }

  deliverDue(): Promise<void> {
    this.#delivering ??= this.#deliver().finally(() => {
      this.#delivering = null
    })
    return this.#delivering
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    await this.#delivering?.catch(() => undefined)
    await this.#writer.close().catch(() => undefined)
    this.#unwatch?.()
    this.#counter?.forget()
    this.#gone.abort()
    await this.#deps.dropWorld(database)
  }

  async #deliver(): Promise<void> {
    if (this.#isStopped) return
    if (this.#options.loop && this.#clock.nowMs() >= this.#score.endAtMs) {
      await this.#clear()
      await this.#begin()
    } else await this.#writeUntil(this.world.clock.nowMs())
    this.#count()
  }

  /** Tells OPS how much of the file has been played, and what could not be: that was read with the rest of it. */
  #count(): void {
    if (this.#next === this.#counted) return
    this.#counted = this.#next
    const { dropped, deadLettered, read, accepted } = this.#score.tally
    this.#counter?.update({ read: read - accepted + this.#next, accepted: this.#next, dropped, deadLettered })
  }

  /** Empties the tables. They stay, because somebody may be looking at them. */
  async #clear(): Promise<void> {
    const { store } = this.#deps
    const tables = await store.query<{ name: string }>(
      `SELECT name FROM system.tables
       WHERE database = '${database}' AND engine LIKE '%MergeTree' AND name != 'migrations_v1'`,
    )
    for (const { name } of tables) await store.command(`TRUNCATE TABLE ${database}.${name}`)
  }

  /** Loads the first days and lets the clock run. */
  async #begin(): Promise<void> {
    const deps = this.#deps
    const startAtMs = this.#startAtMs
    this.#clock = { speed: 0, nowMs: () => startAtMs }
    this.#next = 0
    await this.#writeUntil(startAtMs)
    this.#clock = virtualClock({ dataStartMs: startAtMs, speed: this.#options.speed, real: deps.clock })
    await deps.bus.publish('world.changed', this.status())
  }

  async #writeUntil(atMs: number): Promise<void> {
    const { deliveries } = this.#score
    for (let due = deliveries[this.#next]; due && due.atMs <= atMs; due = deliveries[this.#next]) {
      this.#writer.add(due.items)
      this.#next++
      if (this.#next % 1000 === 0) await this.#writer.room()
    }
    await this.#writer.drain()
  }
}

async function readScore(options: ReplayOptions): Promise<Score> {
  const file = await openFile(options.file, { as: options.format })
  const records: { observedAtMs: number; items: readonly Item[] }[] = []
  const tally = new Tally()
  const source = fileSource(file)
  await source.poll({
    onRecord({ result }) {
      const bad = result.type === 'ok' ? checkItems(result.value) : null
      if (result.type !== 'ok' || bad !== null) {
        tally.count(bad === null ? result : { type: 'dlq', ...outOfRange(bad) })
        return
      }
      const observedAtMs = result.value[0]?.row.observedAtMs
      if (observedAtMs === undefined) return
      tally.count(result)
      records.push({ observedAtMs, items: result.value })
    },
    async afterPiece() {
      if (records.length <= recordsMax) return
      throw new AppError(
        'BAD_REQUEST',
        `The file ${file.head.name} has more than ${recordsMax} rows: a replay holds its file in memory, so cut it first.`,
      )
    },
    onNote: () => undefined,
  })
  records.sort((a, b) => a.observedAtMs - b.observedAtMs)
  const first = records[0]
  const last = records.at(-1)
  if (!first || !last) {
    throw new AppError('BAD_REQUEST', `The file ${file.head.name} has no readable rows: there is nothing to replay.`)
  }
  const deliveries = spread(records)
  return {
    deliveries,
    firstAtMs: first.observedAtMs,
    endAtMs: isMidnight(last.observedAtMs) ? last.observedAtMs + dayMs : last.observedAtMs + 1,
    title: titleOf(options.file, file.head.name, first.observedAtMs, last.observedAtMs),
    sources: [...new Set(records.flatMap(record => record.items.map(item => item.row.source)))].sort(),
    sourceName: source.name,
    tally,
  }
}

/** Rows that share a midnight are told of evenly over that day; every other row at its own instant. */
function spread(records: readonly { observedAtMs: number; items: readonly Item[] }[]): Delivery[] {
  const countAt = new Map<number, number>()
  for (const { observedAtMs } of records) countAt.set(observedAtMs, (countAt.get(observedAtMs) ?? 0) + 1)
  const seenAt = new Map<number, number>()
  const deliveries = records.map(({ observedAtMs, items }) => {
    if (!isMidnight(observedAtMs)) return { atMs: observedAtMs, items }
    const index = seenAt.get(observedAtMs) ?? 0
    seenAt.set(observedAtMs, index + 1)
    const share = (index + 0.5) / (countAt.get(observedAtMs) ?? 1)
    return { atMs: observedAtMs + Math.floor(share * dayMs), items }
  })
  return deliveries.sort((a, b) => a.atMs - b.atMs)
}

function isMidnight(atMs: number): boolean {
  return atMs % dayMs === 0
}

function titleOf(path: string, name: string, firstAtMs: number, lastAtMs: number): string {
  if (path === sampleFile) return 'Sample replay: US YouTube trending, 14–28 Nov 2017 (Kaggle, CC0).'
  return `Replay of ${name}: readings of ${day(firstAtMs)} to ${day(lastAtMs)}.`
}

function day(ms: number): string {
  const options = { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' } as const
  return new Intl.DateTimeFormat('en-GB', options).format(ms)
}
