/**
 * What polls leave behind in the relational store: pages whose rows are durable in the analytics store, numbers that were
 * read, runs that ended. Each is small, and a commit waits for the disk; so all polls of a worker share one: what comes
 * while a transaction is under way goes into the next. Nobody is told before the commit.
 *
 * Only who holds a poll's lease writes. The first statement of a transaction locks and prolongs the leases that are still
 * held; what belongs to another is left out of the others.
 */
import { sql } from 'kysely'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'
import type { PostReading } from '../../platforms/port.ts'
import { gathered } from './gathered.ts'
import { finishPolls, LeaseLost, markPages, type PageMark, type Poll, type PollOutcome } from './poll-rows.ts'
import { type KnownPosts, keepNumbers, keepPosts, knownPosts, type NumbersRead } from './post-rows.ts'

interface LedgerDeps {
  readonly db: Db
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
}

/** What one transaction writes of one poll. */
type Entry =
  | {
      readonly kind: 'page'
      readonly poll: Poll
      readonly posts: readonly PostReading[]
      readonly mark: PageMark | null
    }
  | { readonly kind: 'numbers'; readonly poll: Poll; readonly numbers: NumbersRead }
  | { readonly kind: 'end'; readonly poll: Poll; readonly outcome: PollOutcome }

/** Entries of one transaction: with pages of fifty, five thousand posts, for a part of which others wait (PGlite). */
const entriesMax = 100

/** One for each worker. */
export class PollLedger {
  readonly #enter: (entry: Entry) => Promise<boolean>
  readonly #look: (asked: { readonly poll: Poll; readonly videoIds: readonly string[] }) => Promise<KnownPosts>

  constructor(deps: LedgerDeps) {
    this.#enter = gathered(entries => write(deps, entries), entriesMax)
    this.#look = gathered(asked => knownPosts(deps.db, asked), entriesMax)
  }

  /** What is known of these posts. */
  known(poll: Poll, videoIds: readonly string[]): Promise<KnownPosts> {
    return this.#look({ poll, videoIds })
  }

  /**
   * Keeps the posts of a page, and marks in the same transaction how far a list was read.
   * @param mark null where nothing is continued
   * @throws LeaseLost
   */
  async page(poll: Poll, posts: readonly PostReading[], mark: PageMark | null): Promise<void> {
    if (!(await this.#enter({ kind: 'page', poll, posts, mark }))) throw leaseLost()
  }

  /** Plans the posts anew whose numbers were read, and those that did not come. @throws LeaseLost */
  async numbers(poll: Poll, numbers: NumbersRead): Promise<void> {
    if (!(await this.#enter({ kind: 'numbers', poll, numbers }))) throw leaseLost()
  }

  /** Gives the poll back. Where another has it by now, nothing is written. */
  async end(poll: Poll, outcome: PollOutcome): Promise<void> {
    await this.#enter({ kind: 'end', poll, outcome })
  }
}

/** @returns of each entry, whether its poll was still held */
async function write({ db, clock, random }: LedgerDeps, entries: readonly Entry[]): Promise<boolean[]> {
  const now = { nowMs: clock.nowMs(), random }
  return await db.transaction(async trx => {
    // A few rows by their keys, of tables that may be large: without this the engine reads all of them for a hash.
    await sql`select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)`.execute(
      trx,
    )
    const runs = entries.filter(entry => entry.kind !== 'end')
    const held = await markPages(
      trx,
      runs.map(run => ({ poll: run.poll, mark: run.kind === 'page' ? run.mark : null })),
      now,
    )
    const mine = runs.filter(({ poll }) => held.has(poll.id))
    await keepPosts(
      trx,
      mine.filter(entry => entry.kind === 'page'),
      now,
    )
    await keepNumbers(
      trx,
      mine.filter(entry => entry.kind === 'numbers'),
      now,
    )
    const ended = await finishPolls(
      trx,
      entries.filter(entry => entry.kind === 'end'),
    )
    return entries.map(({ kind, poll }) => (kind === 'end' ? ended : held).has(poll.id))
  })
}

function leaseLost(): LeaseLost {
  return new LeaseLost('Another worker has this poll by now.')
}
