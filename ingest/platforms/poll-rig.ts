import { randomUUID } from 'node:crypto'
import type { Platform } from '../../contracts/ids.ts'
import { openOutbound } from '../../core/outbound/guarded-fetch.ts'
import { openPlatforms } from '../../platforms/clients.ts'
import {
  type CredentialKind,
  type DeveloperCredentials,
  PlatformError,
  type StoredTokens,
  type TokenSet,
} from '../../platforms/port.ts'
import type { PlatformRegistry } from '../../platforms/registry.ts'
import type { SandboxApp } from '../../platforms/sandbox/apps.ts'
import {
  openTestSandbox,
  redirects,
  startMs,
  type TestSandbox,
  verifier,
} from '../../platforms/sandbox/test-sandbox.ts'
import { openRig, type Rig } from '../test-rig.ts'
import { createWriter, liveLimits } from '../writer.ts'
import { PollLedger } from './poll-ledger.ts'
import type { PollDeps } from './poll-request.ts'
import { PollWorker, type PollWorkerDeps, planWork } from './poll-worker.ts'
import { QuotaBudget } from './quota-budget.ts'

/** The sandbox, both engines and a worker's parts, at an instant that the test moves. */
export interface PollRig {
  readonly rig: Rig
  readonly test: TestSandbox
  readonly platforms: PlatformRegistry
  readonly deps: PollWorkerDeps & PollDeps
  /** What accounts were told: the account, and the class of the problem. */
  readonly problems: [string, string | null][]
  /** Links the account at a place of the picker, for the local owner or another user. */
  link(kind: CredentialKind, o?: { index?: number; ownerId?: string; scopes?: readonly string[] }): Promise<RigAccount>
  plan(charts?: readonly string[], platforms?: readonly Platform[]): Promise<void>
  /** Reads all that is due now. */
  read(): Promise<void>
  /** Rows of the analytics store. */
  ask<T>(text: string): Promise<T[]>
  /** How often an endpoint of the sandbox was asked since the test began. */
  asked(endpoint: string): number
  /** Forgets accounts, polls, quotas and faults; the analytics store keeps what it has. */
  reset(): Promise<void>
  close(): Promise<void>
}

/** A linked account. */
export interface RigAccount {
  readonly id: string
  readonly platformAccountId: string
  readonly vaultId: string
  readonly credentials: DeveloperCredentials
  /** As they were given when it was linked. */
  readonly tokens: TokenSet
  /** Refreshes that its token needed. */
  readonly refreshes: () => number
}

const parts: Readonly<
  Record<
    Exclude<CredentialKind, 'google_api_key'>,
    { platform: Platform; family: SandboxApp['family']; type: SandboxApp['type']; redirectUri: string }
  >
> = {
  google: { platform: 'youtube', family: 'google', type: 'web', redirectUri: redirects.https },
  tiktok_desktop: { platform: 'tiktok', family: 'tiktok', type: 'desktop', redirectUri: redirects.local },
  tiktok_web: { platform: 'tiktok', family: 'tiktok', type: 'web', redirectUri: redirects.https },
  instagram_login: { platform: 'instagram', family: 'instagram', type: 'web', redirectUri: redirects.https },
  facebook_login: { platform: 'instagram', family: 'facebook', type: 'web', redirectUri: redirects.https },
}

/** Opens all of it; about three seconds. @param operatorKey whether the operator has a key for YouTube */
export async function openPollRig(o: { creatorCount: number; operatorKey: boolean }): Promise<PollRig> {
  const [rig, test] = await Promise.all([openRig(), openTestSandbox({ creatorCount: o.creatorCount })])
  const { clock, sandbox } = test
  const { controls } = sandbox
  const { db } = rig.deps
  const outbound = openOutbound({ configuredOrigins: [sandbox.url] })
  const platforms = openPlatforms({ outbound, clock, urls: sandbox.urls })
  const writer = createWriter(rig.deps, { ...liveLimits, ageMsMax: 5 })
  const held = new Map<string, { credentials: DeveloperCredentials; tokens: StoredTokens; refreshes: number }>()
  const problems: [string, string | null][] = []
  const apiKey = controls.app('google').apiKeys[0] ?? ''
  // A budget holds units that it counted ahead.
  const state = { budget: new QuotaBudget({ db, clock }), askedBefore: 0 }
  const deps: PollWorkerDeps & PollDeps = {
    ...rig.deps,
    ledger: new PollLedger({ db, clock, random: () => 0.5 }),
    clock,
    writer,
    get budget() {
      return state.budget
    },
    platforms,
    // As the room of links does it: one refresh, one more try.
    async withAccessToken(accountId, work) {
      const account = held.get(accountId)
      if (!account) throw new Error('No such account.')
      try {
        return await work(account.tokens.accessToken)
      } catch (error) {
        if (!(error instanceof PlatformError && error.class === 'token')) throw error
      }
      const fresh = await platforms.auth(account.credentials.kind).refresh(account.credentials, account.tokens)
      account.refreshes += 1
      account.tokens = {
        accessToken: fresh.accessToken,
        refreshToken: fresh.refreshToken ?? account.tokens.refreshToken,
        issuedAtMs: clock.nowMs(),
      }
      return await work(account.tokens.accessToken)
    },
    readApiKey: async () => apiKey,
    operatorKeys: o.operatorKey ? { youtube: apiKey } : {},
    random: () => 0.5,
    async onAccount(accountId, problem) {
      problems.push([accountId, problem?.class ?? null])
    },
  }

  return {
    rig,
    test,
    platforms,
    deps,
    problems,
    async link(kind, { index = 0, ownerId = rig.deps.ownerId, scopes } = {}) {
      if (kind === 'google_api_key') throw new Error('A key links no account.')
      const { platform, family, type, redirectUri } = parts[kind]
      const { clientId, clientSecret } = controls.app(family, type)
      const credentials = { kind, clientId, clientSecret, apiKey: null }
      const auth = platforms.auth(kind)
      const creator = controls.world.creatorAt(platform, index)
      if (!creator) throw new Error('The world is smaller.')
      const who = family === 'facebook' ? {} : { accountId: creator.id }
      controls.autoConsent(family, { decision: 'allow', ...who })
      const url = auth.authorizationUrl({
        credentials,
        redirectUri,
        state: 's1',
        scopes: scopes ?? auth.scopesOf(kind),
        codeVerifier: verifier,
      })
      const answer = await fetch(url, { redirect: 'manual' })
      const back = auth.readCallback(Object.fromEntries(new URL(answer.headers.get('location') ?? '').searchParams))
      if ('error' in back) throw new Error(back.description)
      const tokens = await auth.exchangeCode({ credentials, redirectUri, codeVerifier: verifier, code: back.code })
      const vault = await db.system
        .insertInto('vault_secrets')
        .values({ owner_id: ownerId, purpose: 'developer_credentials', external_id: randomUUID() })
        .returning('id')
        .executeTakeFirstOrThrow()
      const { id } = await db.system
        .insertInto('platform_accounts')
        .values({
          user_id: ownerId,
          platform_name: platform,
          platform_account_id: creator.id,
          credentials_kind: kind,
          developer_credentials_vault_id: vault.id,
          scopes: [...(tokens.scopes ?? scopes ?? auth.scopesOf(kind))],
        })
        .returning('id')
        .executeTakeFirstOrThrow()
      const account = { credentials, tokens: { ...tokens, issuedAtMs: clock.nowMs() }, refreshes: 0 }
      held.set(id, account)
      return {
        id,
        platformAccountId: creator.id,
        vaultId: vault.id,
        credentials,
        tokens,
        refreshes: () => account.refreshes,
      }
    },
    plan: async (charts = [], keyed = o.operatorKey ? ['youtube'] : []) =>
      void (await planWork(deps, { platforms: keyed, charts })),
    read: async () => void (await new PollWorker(deps).run()),
    ask: async <T>(text: string) => (await rig.deps.store.query(text)) as T[],
    asked: endpoint => controls.requests.slice(state.askedBefore).filter(each => each.endpoint === endpoint).length,
    async reset() {
      clock.set(startMs)
      controls.clearFaults()
      controls.clearQuotas()
      problems.length = 0
      for (const table of ['polls', 'polled_posts', 'platform_quota', 'monitored_creators', 'platform_accounts'])
        await db.executeSql(`delete from ${table}`)
      state.budget = new QuotaBudget({ db, clock })
      state.askedBefore = controls.requests.length
    },
    async close() {
      await writer.close()
      await outbound.close()
      await sandbox.close()
      await rig.close()
    },
  }
}
