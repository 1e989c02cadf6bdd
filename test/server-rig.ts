import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { loadNicheRules } from '../analytics/niches/rules.ts'
import { repairRollups, settleRollups } from '../analytics/settle.ts'
import type { Platform, UserId } from '../contracts/ids.ts'
import { memoryBus } from '../core/bus/memory.ts'
import type { Bus } from '../core/bus/port.ts'
import type { AnalyticsStore } from '../core/clickhouse/port.ts'
import { startTestStore } from '../core/clickhouse/test-store.ts'
import { manualClock } from '../core/clock.ts'
import { ensureLocalOwner } from '../core/db/local-owner.ts'
import { migrateDb } from '../core/db/migrate.ts'
import type { Db } from '../core/db/port.ts'
import { openTestDb } from '../core/db/test-db.ts'
import { memoryKeyValue } from '../core/key-value/memory.ts'
import type { Log } from '../core/log.ts'
import type { Mail, Mailer } from '../core/mail/port.ts'
import { openOutbound } from '../core/outbound/guarded-fetch.ts'
import { createSqlGate } from '../core/sql-gate/gate.ts'
import { MasterKeys, masterKey } from '../core/vault/master-key.ts'
import { ownVault } from '../core/vault/own-vault.ts'
import type { World } from '../core/world.ts'
import { openPlatforms } from '../platforms/clients.ts'
import { createApiKeyAuthenticator } from '../server/auth/api-keys.ts'
import { anyOf } from '../server/auth/authenticator.ts'
import { type OpenAccounts, openAccounts } from '../server/auth/open-accounts.ts'
import { createPasswords } from '../server/auth/passwords.ts'
import type { ServerDeps, WorldSource } from '../server/deps.ts'
import { UsageMeter } from '../server/features/billing/usage-meter.ts'
import { ClipperDesk } from '../server/features/copies/own-clippers.ts'
import { SharedAnswers } from '../server/features/shared-answers.ts'
import { createMetrics } from '../server/metrics/registry.ts'
import { fixedAuthenticator } from './fixed-authenticator.ts'
import { testMediaDesk } from './media-desk.ts'
import { urlsNowhere } from './urls-nowhere.ts'

/** The instant at which the rig's clock stands. */
export const rigNow = new Date('2026-01-31T12:00:00Z')
export const rigToken = 'rig-token-of-the-local-owner'
/** Next to nothing: what passwords cost is a test of its own. */
export const rigPasswordCost = { memoryKib: 64, passes: 1, parallelism: 1 }

/** One reading of one video; the other counters are not given. */
export interface RigSample {
  readonly platform: Platform
  readonly videoId: string
  readonly creatorId: string
  readonly observedAtMs: number
  readonly views: number
}

/** Real stores in a folder of their own, and what a server needs beside them. */
export interface ServerRig {
  readonly store: AnalyticsStore
  readonly db: Db
  readonly bus: Bus
  readonly log: Log
  readonly userId: UserId
  /** Signing in, with passwords that cost little. Also believed: `rigToken`, and keys of `/api/keys`. */
  readonly accounts: OpenAccounts
  /** What was sent, oldest first. */
  readonly mails: readonly Mail[]
  readonly world: World
  /** What the writer does: rows durable, rollups settled, everybody told. */
  write(rows: readonly RigSample[]): Promise<void>
  /** Fresh dependencies on the same stores: each server wants metrics of its own. */
  deps(): Promise<ServerDeps>
  close(): Promise<void>
}

/**
 * Opens both embedded stores, migrated and empty, for the tests of one file.
 * @param given a relational store to use instead, empty; the rig closes it
 */
export async function openServerRig(given: { readonly db?: Db } = {}): Promise<ServerRig> {
  const folder = await mkdtemp(join(tmpdir(), 'cliptape-server-'))
  const log = pino({ level: 'silent' })
  const clock = manualClock(rigNow.getTime())
  const world: World = { database: 'cliptape', clock }
  const bus = memoryBus({ log })
  const outbound = openOutbound({ configuredOrigins: [] })
  const [{ store }, db] = await Promise.all([
    startTestStore({ world: 'cliptape', dataDir: join(folder, 'analytics') }),
    given.db ?? openTestDb(join(folder, 'relational')),
  ])
  if (given.db) await migrateDb(db)
  await repairRollups(store, world)
  const userId = await ensureLocalOwner(db)
  const niches = await loadNicheRules()
  const { mailer, mails } = mailbox()
  const accounts = await openAccounts(
    { db, bus, keyValue: memoryKeyValue({ clock }), clock, log },
    {
      secret: 'secret of the rig, long enough to be one',
      ownerId: userId,
      mailer,
      google: null,
      registration: 'open',
      linkBase: () => 'https://tape.example',
      passwords: createPasswords(rigPasswordCost),
    },
  )
  const apiKeys = await createApiKeyAuthenticator({ db, bus, clock, log, serviceKey: null })
  const shown: WorldSource = {
    current: () => world,
    status: () => ({ mode: 'live', notice: 'A test.', now: rigNow.toISOString(), speed: 1, sources: [] }),
  }
  return {
    store,
    db,
    bus,
    log,
    userId,
    accounts,
    mails,
    world,
    write: rows => write({ store, bus, world }, rows),
    deps: async () => ({
      db,
      store,
      bus,
      keyValue: memoryKeyValue({ clock }),
      gate: await createSqlGate(store),
      world: shown,
      answers: new SharedAnswers({ world: shown, clock }),
      niches: () => niches,
      clock,
      log,
      version: '1.2.3',
      vault: ownVault(new MasterKeys(masterKey('key of the rig, long enough to be one'))),
      outbound,
      platforms: openPlatforms({ outbound, clock, urls: urlsNowhere }),
      webhookOrigins: [],
      auth: anyOf([fixedAuthenticator({ token: rigToken, userId }), accounts.sessions, apiKeys]),
      accounts: accounts.accounts,
      usage: new UsageMeter({ db, clock, log }),
      clippers: new ClipperDesk({ db, store, clock, log, niches: () => niches }),
      ops: async () => [{ key: 'store:db', group: 'store', name: 'Relational', state: 'ok', value: 'up', detail: '' }],
      deadLetters: {
        list: async () => [],
        replay: async (_userId, which) => ({ replayed: which === 'all' ? 0 : which.length, kept: 0 }),
        discard: async (_userId, which) => ({ discarded: which === 'all' ? 0 : which.length }),
      },
      quota: async () => [],
      findCreator: async () => ({ found: null, isUnknown: false, reason: 'This test asks no platform.' }),
      media: testMediaDesk({ folder, clock, outbound }),
      metrics: createMetrics(),
    }),
    async close() {
      await Promise.all([accounts.close(), apiKeys.close()])
      await Promise.all([store.close(), db.close(), outbound.close()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Mails go nowhere, and can be read. */
function mailbox(): { mailer: Mailer; mails: Mail[] } {
  const mails: Mail[] = []
  return { mails, mailer: { send: async mail => void mails.push(mail), close: async () => undefined } }
}

async function write(to: { store: AnalyticsStore; bus: Bus; world: World }, rows: readonly RigSample[]): Promise<void> {
  await to.store.insert(
    `${to.world.database}.samples_v1`,
    rows.map(row => ({
      platform: row.platform,
      video_id: row.videoId,
      creator_id: row.creatorId,
      observed_at: new Date(row.observedAtMs).toISOString().replace('T', ' ').replace('Z', ''),
      views: row.views,
      source: 'import:test',
      endpoint: '',
      definition_version: 1,
    })),
  )
  const instants = rows.map(row => row.observedAtMs)
  await settleRollups(to.store, to.world, {
    database: to.world.database,
    rowCount: rows.length,
    minObservedAtMs: Math.min(...instants),
    maxObservedAtMs: Math.max(...instants),
    videos: rows.map(({ platform, videoId }) => ({ platform, videoId })),
    isCut: false,
  })
  await to.bus.publish('samples.written', {
    world: to.world.database,
    platforms: [...new Set(rows.map(row => row.platform))],
    videos: rows.map(row => `${row.platform}:${row.videoId}`),
    isCut: false,
    rowCount: rows.length,
    atMs: Math.max(...instants),
  })
}
