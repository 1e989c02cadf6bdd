import type { KpiName } from '../../../contracts/crm.ts'
import type { Platform } from '../../../contracts/ids.ts'
import { facebookLogin, instagramLogin } from '../../../platforms/instagram/login.ts'
import { scopeOf } from '../../../platforms/tiktok/auth.ts'
import { analyticsScope } from '../../../platforms/youtube/auth.ts'

/** The numbers that a scope opens, by platform. */
const opened: Readonly<Record<Platform, Readonly<Record<string, readonly KpiName[]>>>> = {
  youtube: {
    'https://www.googleapis.com/auth/youtube.readonly': ['followers', 'views', 'likes', 'comments', 'engagement'],
    [analyticsScope]: ['shares'],
  },
  tiktok: {
    [scopeOf.stats]: ['followers'],
    [scopeOf.videos]: ['views', 'likes', 'comments', 'shares', 'engagement'],
  },
  instagram: Object.fromEntries(
    [instagramLogin, facebookLogin].flatMap(({ basicScope, insightsScope }): [string, readonly KpiName[]][] => [
      [basicScope, ['followers', 'likes', 'comments']],
      [insightsScope, ['views', 'shares', 'saves', 'engagement']],
    ]),
  ),
}

/** What an account cannot show for want of scopes that were asked for and not granted. */
export function lackingOf(account: {
  readonly platform: Platform
  readonly missingScopes: readonly string[]
}): ReadonlySet<KpiName> {
  const byScope = opened[account.platform]
  return new Set(account.missingScopes.flatMap(scope => byScope[scope] ?? []))
}
