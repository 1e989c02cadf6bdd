import type { Platform } from '../../contracts/ids.ts'
import type { Clock } from '../../core/clock.ts'
import type { SandboxApp } from './apps.ts'
import type { Faults } from './faults.ts'
import type { Grants } from './grants.ts'
import type { Limits, Quotas } from './quotas.ts'
import type { World } from './world.ts'

/** What pages of consent do without a person. */
export interface AutoConsent {
  readonly decision: 'allow' | 'deny'
  /** The id of the creator or Facebook user; the first of the picker without it. */
  readonly accountId?: string
  /** Of the scopes that are asked; all without it. */
  readonly scopes?: readonly string[]
}

/** Where the platforms are known to answer now this way, now that way; tests try all of them. */
export interface Quirks {
  /** Instagram's first exchange: documented in a list, read flat by clients that work. */
  instagramTokenShape: 'wrapped' | 'flat' | 'flat_list'
  /** The HTTP status of TikTok's OAuth errors. */
  tiktokOauthStatus: 200 | 400 | 401
  /** Whether TikTok answers its errors of data with 200. */
  tiktokErrorsWith200: boolean
  /** Fields outside the granted scopes: refused, or left out in silence. */
  tiktokScopes: 'refuse' | 'drop'
  /** Whether `batchGetStats` sends its summary. */
  youtubeSummary: boolean
  /** Media insights answer 200 with nothing. */
  instagramEmptyInsights: boolean
}

/** Everything that the endpoints share. */
export interface SandboxState {
  readonly seed: number
  readonly clock: Clock
  readonly world: World
  readonly apps: SandboxApp[]
  readonly grants: Grants
  readonly quotas: Quotas
  readonly limits: Limits
  readonly faults: Faults
  /** The file that every video is, absolute; null: addresses of videos lead nowhere. */
  readonly videoFile: string | null
  readonly quirks: Quirks
  autoConsent: Partial<Record<SandboxApp['family'], AutoConsent>>
}

export const quirksDefault: Quirks = {
  instagramTokenShape: 'wrapped',
  tiktokOauthStatus: 400,
  tiktokErrorsWith200: false,
  tiktokScopes: 'refuse',
  youtubeSummary: true,
  instagramEmptyInsights: false,
}

export function appOf(state: SandboxState, family: SandboxApp['family'], clientId: string | null): SandboxApp | null {
  return state.apps.find(app => app.family === family && app.clientId === clientId) ?? null
}

/** Who can be picked on a page of consent. */
export interface Account {
  /** The creator's id, or the Facebook user's; `none` is a Google user without a channel. */
  readonly id: string
  readonly label: string
}

const accountCount = 4

/** The creators of a platform that can be signed in as: the first four. */
export function ownAccounts(state: SandboxState, platform: Platform): Account[] {
  return Array.from({ length: accountCount }, (_, index) => state.world.creatorAt(platform, index)).flatMap(creator =>
    creator === null ? [] : [{ id: creator.id, label: `${creator.name} (@${creator.handle})` }],
  )
}
