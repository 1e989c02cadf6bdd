import type { UserId } from '../../contracts/ids.ts'
import type { Item } from '../../contracts/samples.ts'
import type { Bus } from '../../core/bus/port.ts'
import type { AnalyticsStore } from '../../core/clickhouse/port.ts'
import type { Log } from '../../core/log.ts'
import type { World } from '../../core/world.ts'
import type { AccountReading, PostReading } from '../../platforms/port.ts'
import { checkItems } from '../check.ts'
import { creatorSampleLine, sampleLine, targets } from '../rows.ts'
import type { Poll } from './poll-rows.ts'
import { creatorSampleOf, sampleOf, sourceOf } from './reading-items.ts'

/**
 * The numbers of a user's own accounts go to tables of their own, under that user's id. They never pass the writer of public
 * samples: no rollup, no list and nobody else reads them.
 */
export interface OwnNumbersDeps {
  readonly store: Pick<AnalyticsStore, 'insertRaw'>
  readonly world: World
  readonly bus: Bus
  readonly log: Log
}

/** A poll of an account that is its owner's own. */
export interface OwnPoll extends Poll {
  readonly ownerId: UserId
}

/** The poll, which has an owner because it is on the own path: the table has no other rows. */
export function ownPoll(poll: Poll): OwnPoll {
  const { ownerId } = poll
  if (ownerId === null) throw new Error(`The poll ${poll.id} is of nobody's own account.`)
  return { ...poll, ownerId }
}

/**
 * Resolves to how many readings were written and are durable. Those out of their range, or without a number, are not. All are
 * under the account that was asked, whatever they say themselves: with it they go.
 */
export async function writeOwnPosts(
  deps: OwnNumbersDeps,
  poll: OwnPoll,
  posts: readonly PostReading[],
): Promise<number> {
  const source = sourceOf(poll)
  const items = posts.flatMap((post): Item[] => {
    const row = sampleOf({ ...post, creatorId: poll.creatorId }, source)
    return row ? [{ kind: 'sample', row }] : []
  })
  return await insert(deps, poll.ownerId, 'sample', items)
}

/** As `writeOwnPosts`, of an account's own counters. */
export async function writeOwnAccount(deps: OwnNumbersDeps, poll: OwnPoll, account: AccountReading): Promise<number> {
  const row = creatorSampleOf({ ...account, creatorId: poll.creatorId }, sourceOf(poll))
  return row ? await insert(deps, poll.ownerId, 'creatorSample', [{ kind: 'creatorSample', row }]) : 0
}

async function insert(
  { store, world, bus, log }: OwnNumbersDeps,
  ownerId: UserId,
  kind: 'sample' | 'creatorSample',
  items: readonly Item[],
): Promise<number> {
  const lines = items.flatMap(item => {
    if (checkItems([item]) !== null) return []
    if (item.kind === 'sample') return [`${ownerId}\t${sampleLine(item.row)}`]
    return item.kind === 'creatorSample' ? [`${ownerId}\t${creatorSampleLine(item.row)}`] : []
  })
  if (lines.length === 0) return 0
  const { table, format, columns } = targets[kind]
  await store.insertRaw(`${world.database}.own_${table}`, Buffer.from(lines.join(''), 'utf8'), {
    format,
    columns: ['owner_id', ...columns],
    tag: 'ingest:own',
    settings: { max_partitions_per_insert_block: 0 },
  })
  await bus.publish('own.written', { world: world.database, userId: ownerId }).catch((err: unknown) => {
    log.warn({ err }, 'Nobody was told of private readings that were written.')
  })
  return lines.length
}
