import type { PlatformError } from '../../platforms/port.ts'
import { chartPagesMax } from './charts.ts'
import { outcomeOfFailure } from './failures.ts'
import { jittered } from './pace.ts'
import { plannedTime, stretchesOf } from './plan.ts'
import { runPoll } from './poll.ts'
import { PollLedger } from './poll-ledger.ts'
import { NoRoom, type PollDeps } from './poll-request.ts'
import {
  claimPolls,
  LeaseLost,
  type OperatorKeys,
  type Poll,
  readStretched,
  readWishes,
  syncPolls,
  writePlan,
} from './poll-rows.ts'
import { publicUnitsOfDay } from './quota-budget.ts'
import { quotaRuleOf } from './quota-rules.ts'

export interface PollWorkerDeps extends Omit<PollDeps, 'ledger'> {
  /** YouTube's terms for derived metrics are accepted for the operator's key; not when left out. */
  readonly isOperatorAmended?: boolean
  /** Told what became of a run with a linked account: null when it went well after a failure. */
  readonly onAccount: (
    accountId: string,
    problem: { readonly class: string; readonly message: string } | null,
  ) => Promise<void>
}

/** Runs that ask beside each other in one worker: a run waits for the platform most of the time. */
const runsMaxDefault = 96
/** Runs that have asked all, and whose rows are not durable yet, per run that asks. */
const keptPerRun = 4
/** The part of a day's units that is planned; the rest is for new creators, and for what has to be asked twice. */
const plannedPart = 0.9
const dayMs = 86_400_000
/** What one run costs: a list, and a look at what is new in it; a chart of as many pages as there are. */
const unitsOfRun = { account: 1, posts: 2, chart: chartPagesMax } as const
/** Changes of the stretch by less than this part are not worth a row. */
const stretchStepPart = 0.05

/** Reads what is due. Any number of workers share the work. */
export class PollWorker {
  readonly #deps: PollWorkerDeps & PollDeps
  readonly #runsMax: number
  /** Runs that use the platform, and all that are not over. */
  readonly #asking = new Set<Promise<void>>()
  readonly #running = new Set<Promise<void>>()
  #looking: Promise<number> | null = null
  #isClosing = false

  constructor(deps: PollWorkerDeps, runsMax: number = runsMaxDefault) {
    this.#deps = { ...deps, ledger: new PollLedger(deps) }
    this.#runsMax = runsMax
  }

  /** Reads everything that is due; resolves to how many runs it took when nothing is. A second call joins the first. */
  run(): Promise<number> {
    this.#looking ??= this.#drain().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  /** Takes no more, and waits for the runs under way. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#looking?.catch(() => undefined)
    await Promise.allSettled(this.#running)
  }

  async #drain(): Promise<number> {
    const { db, clock } = this.#deps
    let count = 0
    while (!this.#isClosing) {
      const askingRoom = this.#runsMax - this.#asking.size
      const max = Math.min(askingRoom, this.#runsMax * (1 + keptPerRun) - this.#running.size)
      // A claim costs the same for one as for many.
      if (max < this.#runsMax / 4) {
        await Promise.race(max === askingRoom ? this.#asking : this.#running)
        continue
      }
      const polls = await claimPolls(db, {
        nowMs: clock.nowMs(),
        max,
        isOperatorAmended: this.#deps.isOperatorAmended ?? false,
      })
      for (const poll of polls) this.#begin(poll)
      count += polls.length
      if (polls.length === max) continue
      if (this.#running.size === 0) break
      // A run that ends may be due again at once.
      await Promise.race(this.#running)
    }
    return count
  }

  #begin(poll: Poll): void {
    const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>()
    const asking: Promise<void> = asked.then(() => {
      this.#asking.delete(asking)
      // Nobody brings more for now.
      if (this.#asking.size === 0) this.#deps.writer.hurry()
    })
    const run: Promise<void> = this.#one(poll, onAsked).finally(() => {
      onAsked()
      this.#running.delete(run)
    })
    this.#asking.add(asking)
    this.#running.add(run)
  }

  async #one(poll: Poll, onAsked: () => void): Promise<void> {
    const { ledger, clock, log, random } = this.#deps
    const about = { poll: poll.id, task: poll.task, platform: poll.platform, path: poll.path }
    try {
      const { wantedIntervalMs, nextPollAtMs } = await runPoll(this.#deps, poll, onAsked)
      const nowMs = clock.nowMs()
      await ledger.end(poll, {
        nextPollAtMs: nextPollAtMs ?? nowMs + jittered(wantedIntervalMs * poll.stretch, random()),
        intervalMs: wantedIntervalMs,
        lastPolledAtMs: nowMs,
        failures: 0,
        error: null,
      })
      if (poll.accountId !== null && poll.hadError) await this.#deps.onAccount(poll.accountId, null)
    } catch (error) {
      if (error instanceof LeaseLost) return
      try {
        await this.#failed(poll, error)
      } catch (cause) {
        // Its lease brings it back.
        log.error({ err: cause, ...about }, 'What came of a poll could not be written.')
      }
    }
  }

  async #failed(poll: Poll, error: unknown): Promise<void> {
    const { ledger, clock, log, random, onAccount } = this.#deps
    const outcome = outcomeOfFailure(poll, error, { nowMs: clock.nowMs(), random })
    const about = { err: error, poll: poll.id, task: poll.task, platform: poll.platform, path: poll.path }
    if (!(error instanceof NoRoom)) {
      if (outcome.error?.class === 'internal') log.error(about, 'A poll failed.')
      else log.info(about, 'A poll failed, and is tried again later.')
    }
    await ledger.end(poll, outcome)
    if (poll.accountId === null || outcome.error === null || !concernsUser(poll, outcome.error.class)) return
    await onAccount(poll.accountId, outcome.error)
  }
}

/** Makes the rows of what is wanted and plans public creators within the quota. */
export async function planWork(
  deps: Pick<PollWorkerDeps, 'db' | 'clock' | 'random'>,
  operator: OperatorKeys,
): Promise<{ polls: number }> {
  const { db, clock, random } = deps
  await syncPolls(db, operator, clock.nowMs())
  const wishes = (await readWishes(db)).map(wish => {
    const bucket = wish.platform === 'youtube' ? 'youtube:units' : 'instagram:app'
    const unitsPerDay = wish.runsPerDay * unitsOfRun[wish.task]
    return { ...wish, bucket, unitsPerDay, purse: `${wish.credentialKey} ${bucket}` }
  })
  const unitsPerDay = new Map(wishes.map(wish => [wish.purse, unitsOfDay(wish.bucket, wish.credentialKey)]))
  const stretches = stretchesOf(wishes, unitsPerDay)
  const stretched = wishes.map(wish => ({ ...wish, stretch: stretches.get(wish.purse)?.get(wish.ownerKey) ?? 1 }))
  const isOther = (before: number, now: number) => Math.abs(now / before - 1) > stretchStepPart
  // What stays as it was keeps its time: another throw of the dice a minute would read it ever earlier.
  const polls = await readStretched(
    db,
    stretched.filter(each => isOther(each.stretchMin, each.stretch) || isOther(each.stretchMax, each.stretch)),
    stretchStepPart,
  )
  const nowMs = clock.nowMs()
  await writePlan(
    db,
    polls.map(poll => plannedTime(poll, { nowMs, random })),
  )
  return { polls: wishes.reduce((sum, { pollCount }) => sum + pollCount, 0) }
}

function unitsOfDay(bucket: string, credentialKey: string): number {
  const rule = quotaRuleOf(bucket)
  const units = rule.kind === 'day' ? rule.units : (rule.units * dayMs) / rule.windowMs
  return publicUnitsOfDay(units, credentialKey) * plannedPart
}

/** What the user of the account should know of: the rest passes by itself. */
const concerning: ReadonlySet<string> = new Set<PlatformError['class']>([
  'token',
  'grant',
  'client',
  'permission',
  'quota',
  'not_found',
])

/** A stranger's creator that is gone is nothing that the user's own account lacks. */
function concernsUser({ path }: Poll, kind: string): boolean {
  return concerning.has(kind) && !(path === 'public' && kind === 'not_found')
}
