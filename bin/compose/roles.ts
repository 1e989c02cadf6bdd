import { loadNicheRules, type NicheRules } from '../../analytics/niches/rules.ts'
import { repairRollups, settleRollups } from '../../analytics/settle.ts'
import type { ReplayRequest } from '../../contracts/control.ts'
import { dropWorld, migrateAnalytics } from '../../core/clickhouse/migrate.ts'
import { systemClock } from '../../core/clock.ts'
import type { Outbound } from '../../core/outbound/port.ts'
import type { Queue } from '../../core/queue/port.ts'
import { createSqlGate } from '../../core/sql-gate/gate.ts'
import type { Touched } from '../../core/touched.ts'
import type { World } from '../../core/world.ts'
import type { IngestDeps } from '../../ingest/import.ts'
import { QuotaBudget } from '../../ingest/platforms/quota-budget.ts'
import { createIngestStats, type IngestStats } from '../../ingest/stats.ts'
import { openPlatforms } from '../../platforms/clients.ts'
import type { PlatformRegistry } from '../../platforms/registry.ts'
import type { Authenticator } from '../../server/auth/authenticator.ts'
import type { OpenAccounts } from '../../server/auth/open-accounts.ts'
import type { ServerDeps } from '../../server/deps.ts'
import { UsageMeter } from '../../server/features/billing/usage-meter.ts'
import { ClipperDesk } from '../../server/features/copies/own-clippers.ts'
import type { MediaDesk } from '../../server/features/media-jobs/media-desk.ts'
import { SharedAnswers } from '../../server/features/shared-answers.ts'
import { createMetrics } from '../../server/metrics/registry.ts'
import { type RunningServer, startServer } from '../../server/server.ts'
import { settingsDefault } from '../../server/settings.ts'
import type { Role } from '../role.ts'
import { cliptapeVersion } from '../version.ts'
import { startAccounts, warnOfOpenPort } from './accounts.ts'
import { startAlertJobs } from './alert-jobs.ts'
import { startClipJobs } from './clip-jobs.ts'
import { controlHandlers } from './control-handlers.ts'
import { deadLetterDesk } from './dead-letter-desk.ts'
import { startIngestJobs } from './ingest-jobs.ts'
import { startJobs } from './jobs.ts'
import { openMediaDesk } from './media.ts'
import { opsRows } from './ops.ts'
import { startOutbound } from './outbound.ts'
import { startFindingCreators } from './platform-asking.ts'
import { startPlatformJobs } from './platform-jobs.ts'
import { startSessionJobs } from './session-jobs.ts'
import type { OpenOptions, Stores } from './stores.ts'
import { type OpenVault, openVault } from './vault.ts'
import { startWebhookJobs } from './webhook-jobs.ts'
import { openWorlds, type Worlds } from './worlds.ts'

const closeDeadlineMs = 3_000

/** The world that imports write to, whatever the screen shows. */
export const realWorld: World = { database: 'cliptape', clock: systemClock }

/** What an import, and everything else that writes real rows, stands on. */
export function ingestDeps(stores: Stores, { log }: Pick<OpenOptions, 'log'>, stats?: IngestStats): IngestDeps {
  return {
    ...stores,
    world: realWorld,
    settle: settleFor(stores),
    log,
    clock: systemClock,
    ...(stats ? { stats } : {}),
  }
}

/**
 * Starts the roles that are asked for on open stores. `http` and `ws` share one listener: either starts it. `ingest`,
 * `jobs` and `scheduler` take work from the queue.
 *
 * @param replay what is played instead of real rows or the sample
 * @returns the server, or null when the roles hold none; where the local owner's access tokens come from
 */
export async function startRoles(
  options: OpenOptions,
  stores: Stores,
  wanted: ReadonlySet<Role>,
  replay?: ReplayRequest,
): Promise<{ server: RunningServer | null; token: () => Promise<string> }> {
  const niches = await loadNicheRules(options.paths.niches)
  await repairRollups(stores.store, realWorld)
  const vault = await openVault(options, stores.db)
  const outbound = await startOutbound(options)
  const platforms = openPlatforms({ outbound, clock: systemClock, urls: options.config.platformUrls })
  const media = await openMediaDesk(options, stores, outbound)
  const running: { server: RunningServer | null } = { server: null }
  const { accounts, auth } = await startAccounts(options, stores, {
    outbound,
    url: () => running.server?.url ?? null,
  })
  const isServing = wanted.has('http') || wanted.has('ws')
  const state: { queue: Queue | null } = { queue: null }
  const serving = isServing
    ? await serve(options, stores, {
        niches,
        accounts,
        auth,
        vault,
        outbound,
        platforms,
        media,
        running,
        replay,
        queue: () => state.queue,
      })
    : null
  if (wanted.has('jobs')) {
    const shown = () => serving?.worlds.current().database ?? null
    const starting = startJobs(options, stores, () => niches, shown).then(async queue => {
      state.queue = queue
      const parts = { queue, vault: vault.vault, outbound, niches: () => niches, world: realWorld }
      await startWebhookJobs(options, stores, parts)
      await startPlatformJobs(options, stores, { queue, vault: vault.vault, platforms })
      await startSessionJobs(queue, accounts)
      await startClipJobs(options, stores, { queue, vault: vault.vault, outbound, platforms, media })
      const world = () => serving?.worlds.current() ?? realWorld
      const analytics = () => ({ store: stores.store, world: world(), niches })
      const sql = serving ?? (await openUserSql(options, stores))
      await startAlertJobs(options, stores, { queue, mailer: accounts.accounts.mailer, analytics, sql })
    })
    // Beside a server: the first frame does not wait for the queue's own tables.
    if (serving) starting.catch(err => options.log.error({ err }, 'The queue could not be opened: no jobs are done.'))
    else await starting
  }
  if (wanted.has('ingest'))
    await startIngestJobs(options, ingestDeps(stores, options), { vault: vault.vault, platforms })
  return { server: serving?.server ?? null, token: () => accounts.local.present() }
}

async function serve(
  options: OpenOptions,
  stores: Stores,
  parts: {
    niches: NicheRules
    accounts: OpenAccounts
    auth: Authenticator
    vault: OpenVault
    outbound: Outbound
    platforms: PlatformRegistry
    media: MediaDesk
    /** Filled in when the server listens. */
    running: { server: RunningServer | null }
    replay: ReplayRequest | undefined
    queue: () => Queue | null
  },
): Promise<{ server: RunningServer; worlds: Worlds } & UserSql> {
  const { config, paths, scope, log } = options
  const stats = createIngestStats(systemClock)
  const ingest = ingestDeps(stores, options, stats)
  const { gate, usage } = await openUserSql(options, stores)
  const worlds = await scope.start(
    'worlds',
    () =>
      openWorlds({
        ...stores,
        settle: (touched, world) => settleRollups(stores.store, world, touched),
        stats,
        log,
        prepareWorld: async database => {
          await migrateAnalytics(stores.store, { database })
        },
        // Only the replay's world is ever dropped.
        dropWorld: () => dropWorld(stores.store, 'replay'),
        canReplay: config.stores.profile === 'embedded',
        replay: parts.replay,
      }),
    worlds => worlds.close(),
  )
  const startedAt = new Date(systemClock.nowMs())
  const { running } = parts
  const handlers = controlHandlers({
    ...options,
    stores,
    gate,
    worlds,
    ingest,
    tokens: parts.accounts.local,
    accounts: parts.accounts.accounts,
    rotateVault: parts.vault.rotate,
    startedAt,
    url: () => running.server?.url ?? null,
  })
  warnOfOpenPort(options)
  const { platforms } = parts
  const findCreator = await startFindingCreators(options, ingest, { vault: parts.vault.vault, platforms })
  const quota = new QuotaBudget({ db: stores.db, clock: systemClock })
  const publicUrl = config.publicUrl === null ? null : new URL(config.publicUrl)
  const server = await scope.start(
    'server',
    async () => {
      const server = await startServer(
        {
          ...stores,
          gate,
          world: worlds,
          answers: new SharedAnswers({ world: worlds, clock: systemClock }),
          clippers: new ClipperDesk({ ...stores, clock: systemClock, log, niches: () => parts.niches }),
          niches: () => parts.niches,
          clock: systemClock,
          log,
          version: cliptapeVersion,
          vault: parts.vault.vault,
          outbound: parts.outbound,
          platforms,
          media: parts.media,
          webhookOrigins: config.webhookOrigins,
          auth: parts.auth,
          accounts: parts.accounts.accounts,
          usage,
          ops: () => opsRows(stores, stats, parts.queue()),
          deadLetters: deadLetterDesk(ingest),
          quota: userId => quota.states(userId),
          findCreator,
          metrics: createMetrics(),
          settings: {
            // Forms of our own pages name the public origin, whatever Host a proxy passes on.
            corsOrigins: [...config.corsOrigins, ...(publicUrl ? [publicUrl.origin] : [])],
            trustProxyHops: config.trustProxyHops,
            publicHosts: publicUrl ? [publicUrl.hostname] : [],
            rateLimits: { ...settingsDefault.rateLimits, perKey: config.externalApiRateLimit },
          },
        },
        { host: config.host, port: config.port, control: { socketPath: paths.controlSocket, handlers } },
      )
      running.server = server
      return server
    },
    server => server.close(closeDeadlineMs),
  )
  return { server, worlds, gate, usage }
}

/** How users' SQL is run, and within which limits. */
type UserSql = Pick<ServerDeps, 'gate'> & { readonly usage: UsageMeter }

async function openUserSql({ scope, log }: Pick<OpenOptions, 'scope' | 'log'>, stores: Stores): Promise<UserSql> {
  const usage = await scope.start(
    'usage',
    () => new UsageMeter({ db: stores.db, clock: systemClock, log }),
    usage => usage.close(),
  )
  return { gate: await createSqlGate(stores.store), usage }
}

function settleFor({ store }: Stores): (touched: Touched) => Promise<void> {
  return touched => settleRollups(store, { database: touched.database, clock: systemClock }, touched)
}
