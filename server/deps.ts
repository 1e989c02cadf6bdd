import type { NicheRules } from '../analytics/niches/rules.ts'
import type { CreatorAnswer, CreatorQuestion } from '../contracts/crm.ts'
import type { UserId } from '../contracts/ids.ts'
import type { QuotaState } from '../contracts/quota.ts'
import type { DeadLetterRow, OpsRow, WorldStatus } from '../contracts/ws.ts'
import type { Bus } from '../core/bus/port.ts'
import type { AnalyticsStore } from '../core/clickhouse/port.ts'
import type { Clock } from '../core/clock.ts'
import type { Db } from '../core/db/port.ts'
import type { KeyValue } from '../core/key-value/port.ts'
import type { Log } from '../core/log.ts'
import type { Outbound } from '../core/outbound/port.ts'
import type { SqlGate } from '../core/sql-gate/gate.ts'
import type { Vault } from '../core/vault/port.ts'
import type { World } from '../core/world.ts'
import type { PlatformRegistry } from '../platforms/registry.ts'
import type { Authenticator } from './auth/authenticator.ts'
import type { Accounts } from './auth/open-accounts.ts'
import type { UsageMeter } from './features/billing/usage-meter.ts'
import type { ClipperDesk } from './features/copies/own-clippers.ts'
import type { MediaDesk } from './features/media-jobs/media-desk.ts'
import type { SharedAnswers } from './features/shared-answers.ts'
import type { RateLimits } from './http/rate-limit.ts'
import type { LiveLimits } from './live/engine.ts'
import type { Metrics } from './metrics/registry.ts'

/** Everything that the server stands on. Whoever composes the process makes it. */
export interface ServerDeps {
  readonly db: Db
  readonly store: AnalyticsStore
  readonly bus: Bus
  readonly keyValue: KeyValue
  readonly gate: SqlGate
  readonly world: WorldSource
  readonly niches: () => NicheRules
  /** Real time, for `serverTime` and the like; windows use the world's own clock. */
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  readonly auth: Authenticator
  /** What signing in stands on. */
  readonly accounts: Accounts
  readonly vault: Vault
  readonly outbound: Outbound
  /** The clients of the platforms. */
  readonly platforms: PlatformRegistry
  /** Origins of the operator's own network that webhooks may be sent to. */
  readonly webhookOrigins: readonly string[]
  /** Limits of plans, and what is used of them. Whoever made it closes it. */
  readonly usage: UsageMeter
  /** What users know of clippers by their own media. */
  readonly clippers: ClipperDesk
  /** Answers that equal questions share. */
  readonly answers: SharedAnswers
  readonly ops: () => Promise<OpsRow[]>
  readonly deadLetters: DeadLetterDesk
  /** How much of the platforms' limits a user's own credentials have used. */
  readonly quota: (userId: UserId) => Promise<readonly QuotaState[]>
  /** Asks a platform for somebody's public account, now, within the quota of what there is to ask with. */
  readonly findCreator: (question: CreatorQuestion) => Promise<CreatorAnswer>
  /** Files, links to them, and what a source is. */
  readonly media: MediaDesk
  readonly metrics: Metrics
  readonly settings?: Partial<ServerSettings>
}

/** Which numbers are looked at now, and how the screen names them. */
export interface WorldSource {
  current(): World
  status(): WorldStatus
}

/** Records that could not be read, and what a person may do with them. `'all'` means those that are kept. */
export interface DeadLetterDesk {
  /** The newest, at most 200. */
  list(userId: UserId): Promise<DeadLetterRow[]>
  /** Reads them again. Those that are still not readable stay kept. */
  replay(userId: UserId, which: readonly string[] | 'all'): Promise<{ replayed: number; kept: number }>
  discard(userId: UserId, which: readonly string[] | 'all'): Promise<{ discarded: number }>
}

export interface ServerSettings {
  /** Origins whose pages may call the server from a browser, e.g. `https://app.example`. */
  readonly corsOrigins: readonly string[]
  /** How many proxies in front of us set `X-Forwarded-For`; 0 believes nobody. */
  readonly trustProxyHops: number
  /** Host names besides those of this machine by which the server may be called. */
  readonly publicHosts: readonly string[]
  readonly rateLimits: RateLimits
  readonly live: LiveLimits
  /** Open WebSocket connections of one user. */
  readonly userConnectionsMax: number
  /** Open WebSocket connections of one network before their hello: nobody keeps others out without a credential. */
  readonly strangerConnectionsMax: number
  /** How long a new WebSocket may wait with its hello, in ms. */
  readonly helloMs: number
}
