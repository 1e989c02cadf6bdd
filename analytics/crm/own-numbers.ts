import type { KpiName } from '../../contracts/crm.ts'
import type { Platform, UserId } from '../../contracts/ids.ts'
import { compose, type QueryParams, sqlPart } from '../queries/run-query.ts'

/** A linked account, and which of its numbers it lacks a permission for. */
export interface OwnAccount {
  readonly accountId: string
  readonly platform: Platform
  /** The platform's own id of the account. */
  readonly creatorId: string
  readonly lacking: ReadonlySet<KpiName>
}

/** Whose private numbers are asked for. Accounts of the owner only; another's would have no rows under this owner. */
export interface OwnNumbers {
  readonly owner: UserId
  readonly accounts: readonly OwnAccount[]
}

/** Counters that a post can have. */
export const postCounters = ['views', 'likes', 'comments', 'shares', 'saves'] as const
export type PostCounter = (typeof postCounters)[number]

/** The parameters by which every question about private numbers is bound to its owner. */
export function ownParams({ owner, accounts }: OwnNumbers): QueryParams {
  return {
    owner,
    platforms: accounts.map(account => account.platform),
    creators: accounts.map(account => account.creatorId),
  }
}

/** A part of `crm-posts.sql`, with what its parts share put in. */
export function postsPart(name: string): string {
  return compose(sqlPart('crm-posts', name), {
    mine: sqlPart('crm-posts', 'mine'),
    described: sqlPart('crm-posts', 'described'),
  })
}

/** The key of an account by what its rows say. */
export function accountKey(row: { readonly platform: string; readonly creatorId: string }): string {
  return `${row.platform} ${row.creatorId}`
}
