/** What own accounts gained by day, as the platform itself counts it: the only place where YouTube tells of shares. */
import type { Platform } from '../../contracts/ids.ts'
import { policyOf } from '../../contracts/samples.ts'
import { dayAfter, dayBack, pacificDayOf } from '../../platforms/pacific-days.ts'
import { type DayRange, PlatformError } from '../../platforms/port.ts'
import { writeOwnDays } from './own-days.ts'
import { ownPoll } from './own-numbers.ts'
import { accountOf, askPlatform, dataOf, notOffered, type PollDeps, type PollRun } from './poll-request.ts'
import type { Poll } from './poll-rows.ts'
import { sourceOf } from './reading-items.ts'

/** Days are ready two to three days late, at no certain hour. */
const daysEveryMs = 6 * 3_600_000
const dayMs = 86_400_000
/**
 * How many days are read: the first time, and again while they settle. Instagram wants a request for each day, and has them
 * of posts as well.
 */
const spans: Readonly<Record<Platform, { readonly first: number; readonly again: number }>> = {
  youtube: { first: 366, again: 10 },
  instagram: { first: 30, again: 3 },
  tiktok: { first: 0, again: 0 },
}

/** Reads the days up to yesterday in California; a run that was cut off continues with the day that it had come to. */
export async function readDays(deps: PollDeps, poll: Poll): Promise<PollRun> {
  const { platform, isBackfilled } = poll
  const { dailyMax } = dataOf(deps, poll)
  const newest = dayBack(pacificDayOf(deps.clock.nowMs()), 1)
  const { first, again } = spans[platform]
  const isWhole = !isBackfilled || isRenewal(poll, deps.clock.nowMs())
  let from = poll.cursor ?? dayBack(newest, (isWhole ? first : again) - 1)
  for (let pages = 1; from <= newest; pages++) {
    const furthest = dayBack(from, 1 - dailyMax)
    const isCut = furthest < newest
    const days = { from, to: isCut ? furthest : newest }
    const readings = await askForDays(deps, poll, days)
    await writeOwnDays(deps, ownPoll(poll), readings)
    from = dayAfter(days.to)
    const isEnd = from > newest
    const mark = { cursor: isEnd ? null : from, pages, isBackfilled: isBackfilled || isEnd, newestPostAtMs: null }
    await deps.ledger.page(poll, [], mark)
  }
  return { wantedIntervalMs: daysEveryMs }
}

/** What must be gone after a time is read again every tenth day, all of it: it may be kept as long as it is read. */
function isRenewal(poll: Poll, nowMs: number): boolean {
  return policyOf(sourceOf(poll)).keepMsMax !== null && Math.floor(nowMs / dayMs) % 10 === 0
}

async function askForDays(deps: PollDeps, poll: Poll, days: DayRange) {
  try {
    return await askPlatform(deps, poll, 'daily', (data, access) => {
      if (data.daily === null) throw notOffered(poll, 'daily')
      return data.daily(access, accountOf(poll), days)
    })
  } catch (error) {
    // Too few viewers, or a day before the account was a professional one: the other days have numbers.
    if (error instanceof PlatformError && error.class === 'threshold') return []
    throw error
  }
}
