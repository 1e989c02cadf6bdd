/**
 * The planner: stretches what everybody would like to read to what the quota gives.
 *
 * Each poll has an interval that its creator's pace asks for; polls that are paid from one bucket share its units of a day.
 * Where they ask for more, the owners are served fairly: who asks for less than an equal share gets all of it, and what is
 * left is shared equally by the others (max-min). An owner's share then stretches all of that owner's intervals by one
 * factor, so the fresh stay more often read than the old. Pure; the store adds up the wishes of ten thousand polls, so that
 * only those travel whose time is changed.
 */
import { jittered } from './pace.ts'

const dayMs = 86_400_000

/** What an owner would like to spend. Several of one owner and purse add up. */
export interface Wish {
  /** Credential and bucket that pay. */
  readonly purse: string
  /** Who it is read for. */
  readonly ownerKey: string
  readonly unitsPerDay: number
}

/** A poll, and how many times longer than its pace asks for its interval is. */
export interface StretchedPoll {
  readonly id: string
  /** 1 or more. */
  readonly stretch: number
  /** What its pace asks for. */
  readonly wantedIntervalMs: number
  readonly lastPolledAtMs: number | null
}

export interface PlannedTime {
  readonly id: string
  readonly stretch: number
  readonly nextPollAtMs: number
}

/** When a poll is read next. @param o.random from 0 up to 1 */
export function plannedTime(
  { id, stretch, wantedIntervalMs, lastPolledAtMs }: StretchedPoll,
  o: { readonly nowMs: number; readonly random: () => number },
): PlannedTime {
  const intervalMs = Math.ceil(wantedIntervalMs * stretch)
  // What was never read waits only as long as the quota makes it.
  const nextMs =
    lastPolledAtMs === null
      ? o.nowMs + o.random() * (intervalMs - wantedIntervalMs)
      : Math.max(o.nowMs, lastPolledAtMs + jittered(intervalMs, o.random()))
  return { id, stretch, nextPollAtMs: Math.round(nextMs) }
}

/**
 * By purse and owner: 1 where all wishes can be paid.
 * @param unitsPerDay of each purse; wishes of a purse that is not there are left out: they can be paid
 */
export function stretchesOf(
  wishes: readonly Wish[],
  unitsPerDay: ReadonlyMap<string, number>,
): Map<string, Map<string, number>> {
  const purses = new Map<string, Map<string, number>>()
  for (const wish of wishes) {
    const owners = purses.get(wish.purse) ?? new Map<string, number>()
    purses.set(wish.purse, owners.set(wish.ownerKey, (owners.get(wish.ownerKey) ?? 0) + wish.unitsPerDay))
  }
  for (const [purse, owners] of purses) {
    const given = unitsPerDay.get(purse)
    if (given === undefined) purses.delete(purse)
    else purses.set(purse, shared(owners, given))
  }
  return purses
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
