import { computeLive, readsOf } from '../../analytics/live.ts'
import type { LiveLists } from '../../analytics/live-lists.ts'
import { AppError, assertNever } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'
import { TrendRowSchema } from '../../contracts/measures.ts'
import type { QuotaLine } from '../../contracts/quota.ts'
import type { WatchlistQuery } from '../../contracts/watchlists.ts'
import { type KeyedRow, type LiveQueryName, liveQueries } from '../../contracts/ws.ts'
import { isOperator, operatorsOnly } from '../auth/authenticator.ts'
import type { ServerDeps } from '../deps.ts'
import { type ClipperDesk, clipperOwner } from '../features/copies/own-clippers.ts'
import { ownMeasureContext } from '../features/measure-context.ts'
import { withTrending } from '../features/trending.ts'
import { parseInput } from '../http/parse-input.ts'
import { canonical, ofOwner, touching } from './public-question.ts'
import type { Asker, LiveAnswer, LiveQuestion, ParseQuestion } from './source.ts'

/** How long a window may stand still on the screen while nothing is written, in real ms. */
const windowMs = { live: 5000, replay: 1000 } as const
const opsMs = 2000
const quotaMs = 5000

type Deps = Pick<ServerDeps, 'store' | 'world' | 'niches' | 'clock' | 'ops' | 'deadLetters'> & {
  readonly usage: { hasIndicators(userId: UserId): boolean }
  readonly clippers: Pick<ClipperDesk, 'of' | 'has'>
  /** What stands on a list of theirs, with its numbers. @throws AppError NOT_FOUND */
  readonly watchlist: (userId: UserId, asked: WatchlistQuery) => Promise<Omit<LiveAnswer, 'columns'>>
  /** What their own credentials may still ask of the platforms. */
  readonly quotaLines: (userId: UserId) => Promise<readonly QuotaLine[]>
  /** It hears of every change before the engine computes anything. */
  readonly lists: LiveLists
}

/** Every query of `contracts/ws.ts` as a question that the engine can keep computing. */
export function liveQuestions(deps: Deps): ParseQuestion {
  return (name, params, who) => {
    if (!isLiveQueryName(name)) {
      const known = Object.keys(liveQueries).join(', ')
      throw new AppError('NOT_FOUND', `There is no live query of that name: known are ${known}.`)
    }
    switch (name) {
      case 'trends':
      case 'movers':
      case 'index':
      case 'series':
      case 'describe':
        return dataQuestion(deps, name, params, who)
      case 'watchlist':
        return watchlistQuestion(deps, params, who.userId)
      case 'ops':
      case 'deadLetters':
      case 'quota':
      case 'world':
        if (name === 'ops' && !isOperator(who)) throw operatorsOnly()
        parseInput(liveQueries[name].params, params)
        return ownQuestion(deps, name, who.userId)
      default:
        return assertNever(name)
    }
  }
}

function isLiveQueryName(name: string): name is LiveQueryName {
  return Object.hasOwn(liveQueries, name)
}

/**
 * A question about public numbers, in whichever world is looked at: the same for everybody whose plan shows as much, but
 * for those who know clippers by media of their own.
 */
function dataQuestion(
  deps: Deps,
  name: 'trends' | 'movers' | 'index' | 'series' | 'describe',
  params: Record<string, unknown>,
  who: Asker,
): LiveQuestion {
  const checked = parseInput(liveQueries[name].params, params)
  const reads = readsOf(name, checked)
  const isIndicated = (name === 'trends' || name === 'movers') && deps.usage.hasIndicators(who.userId)
  const counting = reads.countsClippers ? clipperOwner(who) : null
  const owner = counting !== null && deps.clippers.has(counting) ? counting : null
  return {
    key: `${name}${isIndicated ? ' indicated' : ''}${ofOwner(owner)} ${canonical(checked)}`,
    name,
    lane: 'measures',
    staleAfterMs() {
      return reads.movesWithTime ? windowStandsMs(deps) : null
    },
    isTouchedBy: touching(deps, event => reads.isTouchedBy(event), owner),
    async compute() {
      const world = deps.world.current()
      if (world.gone?.aborted) return null
      try {
        const answer = await computeLive(await ownMeasureContext(deps, owner), name, checked, deps.lists)
        if (world.gone?.aborted) return null
        return isIndicated ? indicated(answer) : answer
      } catch (error) {
        if (world.gone?.aborted) return null
        throw error
      }
    },
  }
}

/** How long a window that ends now may stand still; `null` in a world whose time does. */
function windowStandsMs({ world }: Pick<Deps, 'world'>): number | null {
  const { speed } = world.current().clock
  if (speed === 0) return null
  return speed > 1 ? windowMs.replay : windowMs.live
}

function indicated({ columns, rows, asOf }: LiveAnswer): LiveAnswer {
  const trendRows = rows.map(row => TrendRowSchema.parse(row))
  return { columns: [...columns, 'trending'], rows: withTrending(trendRows, asOf), asOf }
}

/** A list of one user, with public numbers. */
function watchlistQuestion(deps: Deps, params: Record<string, unknown>, userId: UserId): LiveQuestion {
  const asked = parseInput(liveQueries.watchlist.params, params)
  const columns = Object.keys(liveQueries.watchlist.row.shape)
  const isTouched = touching(deps, () => true)
  return {
    key: `watchlist ${userId} ${canonical(asked)}`,
    name: 'watchlist',
    lane: 'measures',
    staleAfterMs: () => windowStandsMs(deps),
    isTouchedBy: change => (change.kind === 'watchlists' ? change.userId === userId : isTouched(change)),
    async compute() {
      const world = deps.world.current()
      try {
        const { rows, asOf } = await deps.watchlist(userId, asked)
        return world.gone?.aborted ? null : { columns, rows, asOf }
      } catch (error) {
        if (world.gone?.aborted) return null
        throw error
      }
    },
  }
}

/** A question about Cliptape itself. Dead letters and quotas belong to their owner; the rest is the same for all who may ask. */
function ownQuestion(deps: Deps, name: 'ops' | 'deadLetters' | 'quota' | 'world', ownerId: UserId): LiveQuestion {
  const columns = Object.keys(liveQueries[name].row.shape)
  const answer = (rows: KeyedRow[]): LiveAnswer => ({ columns, rows, asOf: new Date(deps.clock.nowMs()) })
  switch (name) {
    case 'ops':
      return {
        key: name,
        name,
        lane: 'own',
        staleAfterMs: () => opsMs,
        isTouchedBy: change => change.kind === 'deadLetters' || change.kind === 'world',
        compute: async () => answer(await deps.ops()),
      }
    case 'deadLetters':
      return {
        key: `${name} ${ownerId}`,
        name,
        lane: 'own',
        staleAfterMs: () => null,
        isTouchedBy: change => change.kind === 'deadLetters',
        compute: async () => answer(await deps.deadLetters.list(ownerId)),
      }
    case 'quota':
      return {
        key: `${name} ${ownerId}`,
        name,
        lane: 'own',
        staleAfterMs: () => quotaMs,
        isTouchedBy: () => false,
        compute: async () =>
          answer(
            (await deps.quotaLines(ownerId)).map(line => ({
              key: `${line.kind} ${line.bucket} ${line.accountName ?? ''}`,
              ...line,
            })),
          ),
      }
    case 'world':
      return {
        key: name,
        name,
        lane: 'own',
        staleAfterMs: () => (deps.world.current().clock.speed > 1 ? windowMs.replay : windowMs.live),
        isTouchedBy: change => change.kind === 'world',
        compute: async () => answer([{ key: 'world', ...deps.world.status() }]),
      }
    default:
      return assertNever(name)
  }
}
