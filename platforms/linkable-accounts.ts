import type { AccountReading, DataAccess, PlatformData } from './port.ts'

const accountsMax = 100
/** A platform may give the asked cursor again, and lists of Pages without accounts are long. */
const pagesMax = 20

/**
 * Every account that a grant speaks for, each once, at most 100: one of most platforms, several of a person who runs several
 * Pages with Instagram accounts. All of them are read with the token of that grant.
 * @throws PlatformError not_found when there is none
 */
export async function linkableAccounts(data: PlatformData, access: DataAccess): Promise<AccountReading[]> {
  const found = new Map<string, AccountReading>()
  let cursor: string | null = null
  for (let page = 0; page < pagesMax && found.size < accountsMax; page++) {
    const { items, next }: Awaited<ReturnType<PlatformData['accounts']>> = await data.accounts(access, cursor)
    for (const account of items) if (!found.has(account.creatorId)) found.set(account.creatorId, account)
    if (next === null || next === cursor) break
    cursor = next
  }
  // The client says in its own words what is missing.
  return found.size === 0 ? [await data.account(access)] : [...found.values()].slice(0, accountsMax)
}
