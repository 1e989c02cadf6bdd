/**
 * What every run of a poll asks and writes with: one request is counted before it is made, is asked with what the poll may
 * ask with, and what came of it is told to the budget.
 */
import type { Platform, UserId } from '../../contracts/ids.ts'
import type { Item } from '../../contracts/samples.ts'
import type { Clock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import {
  type AccountReading,
  type DataAccess,
  type DataCall,
  type PlatformData,
  PlatformError,
} from '../../platforms/port.ts'
import type { PlatformRegistry } from '../../platforms/registry.ts'
import { unknownAccount } from '../../platforms/unknown-account.ts'
import { checkItems } from '../check.ts'
import type { Writer } from '../writer.ts'
import type { OddReadingDeps } from './odd-readings.ts'
import type { OwnNumbersDeps } from './own-numbers.ts'
import type { PollLedger } from './poll-ledger.ts'
import type { Poll } from './poll-rows.ts'
import type { QuotaBudget, Spending } from './quota-budget.ts'

/** What platforms are asked with. */
export interface AskDeps {
  readonly budget: QuotaBudget
  readonly platforms: Pick<PlatformRegistry, 'data'>
  /** Runs work with the token of a linked account; refreshes it once when it is refused. */
  readonly withAccessToken: <T>(accountId: string, work: (accessToken: string) => Promise<T>) => Promise<T>
  /** API keys of the operator, for what is public. */
  readonly operatorKeys: Readonly<Partial<Record<Platform, string>>>
  /** A user's own API key, for what is public; null when it is there no more. */
  readonly readApiKey: (ownerId: UserId, vaultId: string) => Promise<string | null>
}

export interface PollDeps extends OwnNumbersDeps, AskDeps, OddReadingDeps {
  /** Where runs leave what they read and how far they came. */
  readonly ledger: PollLedger
  readonly writer: Pick<Writer, 'write' | 'hurry'>
  readonly clock: Clock
  readonly log: Log
  /** From 0 up to 1. */
  readonly random: () => number
}

/** The budget has nothing left now. */
export class NoRoom extends Error {
  override readonly name = 'NoRoom'
  readonly retryAtMs: number
  constructor(retryAtMs: number, reason: string) {
    super(reason)
    this.retryAtMs = retryAtMs
  }
}

/** Who asks, and whose quota pays. */
export type Asker = Pick<
  Poll,
  'platform' | 'path' | 'accountId' | 'credentialKey' | 'kind' | 'scopes' | 'viaId' | 'payerId' | 'failures'
>

/** How it went well: what the pace asks for, and when at the latest. */
export interface PollRun {
  readonly wantedIntervalMs: number
  /** Exact, for what has its own times. */
  readonly nextPollAtMs?: number
}

/**
 * One call: paid for, asked with what the asker may ask with, and what it says of the limit passed on. Where a call turns
 * out to take more requests than it costs, each of them is paid for before it is made.
 * @throws PlatformError, NoRoom
 */
export async function askPlatform<T extends object>(
  deps: AskDeps,
  asker: Asker,
  call: DataCall,
  work: (data: PlatformData, access: DataAccess) => Promise<T>,
): Promise<T> {
  const { budget } = deps
  const data = dataOf(deps, asker)
  const cost = data.cost(call, asker.path === 'own' ? 'own' : 'others')
  if (cost === null) throw notOffered(asker, call)
  const spending = spendingOf(asker, cost.bucket)
  const pay = async (units: number): Promise<void> => {
    const answer = await budget.reserve(spending, units)
    if (!answer.isGranted) throw new NoRoom(answer.retryAtMs, answer.reason)
  }
  const paid = async (access: DataAccess): Promise<T> => {
    await pay(cost.units)
    return await work(data, { ...access, payMore: pay })
  }
  try {
    const result = await withAccess(deps, asker, paid)
    budget.worked(spending)
    if ('usagePercent' in result && typeof result.usagePercent === 'number')
      await budget.report(spending, result.usagePercent)
    return result
  } catch (error) {
    if (error instanceof PlatformError) await budget.refused(spending, error, asker.failures)
    throw error
  }
}

async function withAccess<T>(
  deps: AskDeps,
  { accountId, payerId, credentialKey, platform, scopes }: Asker,
  work: (access: DataAccess) => Promise<T>,
): Promise<T> {
  if (accountId !== null) return await deps.withAccessToken(accountId, accessToken => work({ accessToken, scopes }))
  const apiKey = payerId === null ? deps.operatorKeys[platform] : await deps.readApiKey(payerId, credentialKey)
  if (apiKey) return await work({ apiKey })
  throw new PlatformError({
    platform,
    class: 'client',
    code: 'no_key',
    message: `The API key for ${platform} is not there any more: set it again, or link an account.`,
  })
}

/** The client for who asks. */
export function dataOf({ platforms }: Pick<PollDeps, 'platforms'>, { kind }: Pick<Asker, 'kind'>): PlatformData {
  return platforms.data(kind ?? 'google_api_key')
}

/** What a list needs to know of an account whose id is known. */
export function accountOf({ platform, creatorId, handle }: Poll): AccountReading {
  return { ...unknownAccount, platform, creatorId, handle }
}

/** For a call that the client does not have. */
export function notOffered({ platform }: Pick<Asker, 'platform'>, call: DataCall): PlatformError {
  return new PlatformError({
    platform,
    class: 'permission',
    code: 'not_offered',
    message: `These credentials of ${platform} cannot read this (${call}).`,
  })
}

/** Which count a call is on. */
function spendingOf({ viaId, credentialKey, payerId, path }: Asker, bucket: string): Spending {
  return { credentialKey, ownerId: payerId, bucket: bucketFor(bucket, viaId), path }
}

const bucketsOfAccounts = new Set(['instagram:account', 'instagram:files'])

/** A limit as it is counted: Instagram's are per account. */
export function bucketFor(bucket: string, platformAccountId: string | null): string {
  return bucketsOfAccounts.has(bucket) && platformAccountId !== null ? `${bucket}/${platformAccountId}` : bucket
}

/** A row that is out of its range is left out and told of; the others are none the worse for it. */
export async function keepPublic(
  { writer, log }: Pick<PollDeps, 'writer' | 'log'>,
  items: readonly Item[],
): Promise<void> {
  const good = items.filter(item => {
    const bad = checkItems([item])
    if (bad !== null)
      log.warn({ field: bad, kind: item.kind }, 'A platform gave a value out of its range: it was left out.')
    return bad === null
  })
  await writer.write(good)
}
