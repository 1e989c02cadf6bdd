/**
 * The planner: stretches what everybody would like to read to what the quota gives.
 *
 * Each poll has an interval that its creator's pace asks for; polls that are paid from one bucket share its units of a day.
 * Where they ask for more, the owners are served fairly: who asks for less than an equal share gets all of it, and what is
 * left is shared equally by the others (max-min). An owner's share then stretches all of that owner's intervals by one
 * factor, so the fresh stay more often read than the old. Pure, and linear but for one sort of the owners.
 */
import { jittered } from './pace.ts'

/** What is known of one poll. */
export interface PlannedPoll {
  readonly id: string
  /** Who it is read for. */
  readonly ownerKey: string
  /** Credential and bucket that pay for it. */
  readonly purse: string
  /** Units that one run costs. */
  readonly units: number
  /** What its pace asks for. */
  readonly wantedIntervalMs: number
  readonly lastPolledAtMs: number | null
}

export interface PlannedTime {
  readonly id: string
  /** 1 or more: how many times the wanted interval it is until the next run. */
  readonly stretch: number
  readonly nextPollAtMs: number
}

const dayMs = 86_400_000

/**
 * @param unitsPerDay of each purse; polls of a purse that is not there are planned as they wish
 * @param random from 0 up to 1
 */
export function planPolls(
  polls: readonly PlannedPoll[],
  unitsPerDay: ReadonlyMap<string, number>,
  o: { readonly nowMs: number; readonly random: () => number },
): PlannedTime[] {
  const stretches = stretchesOf(polls, unitsPerDay)
  return polls.map(poll => {
    const stretch = stretches.get(poll.purse)?.get(poll.ownerKey) ?? 1
    const intervalMs = Math.ceil(poll.wantedIntervalMs * stretch)
    // What was never read waits only as long as the quota makes it.
    const firstMs = poll.lastPolledAtMs === null ? o.nowMs + o.random() * (intervalMs - poll.wantedIntervalMs) : null
    const nextMs = firstMs ?? Math.max(o.nowMs, (poll.lastPolledAtMs ?? 0) + jittered(intervalMs, o.random()))
    return { id: poll.id, stretch, nextPollAtMs: Math.round(nextMs) }
  })
}

/** By purse and owner: 1 where all wishes can be paid. */
function stretchesOf(
  polls: readonly PlannedPoll[],
  unitsPerDay: ReadonlyMap<string, number>,
): Map<string, Map<string, number>> {
  const wishes = new Map<string, Map<string, number>>()
  for (const { purse, ownerKey, units, wantedIntervalMs } of polls) {
    const owners = wishes.get(purse) ?? new Map<string, number>()
    if (owners.size === 0) wishes.set(purse, owners)
    owners.set(ownerKey, (owners.get(ownerKey) ?? 0) + (units * dayMs) / wantedIntervalMs)
  }
  for (const [purse, owners] of wishes) {
    const given = unitsPerDay.get(purse)
    if (given === undefined) wishes.delete(purse)
    else wishes.set(purse, shared(owners, given))
  }
  return wishes
}

function shared(wishes: ReadonlyMap<string, number>, units: number): Map<string, number> {
  const rising = [...wishes].sort(([, a], [, b]) => a - b)
  const stretches = new Map<string, number>()
  let left = units
  rising.forEach(([owner, wish], place) => {
    const share = Math.min(wish, left / (rising.length - place))
    left -= share
    stretches.set(owner, share > 0 ? Math.max(1, wish / share) : Number.MAX_SAFE_INTEGER / dayMs / 1_000)
  })
  return stretches
}
