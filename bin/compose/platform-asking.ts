import { systemClock } from '../../core/clock.ts'
import type { Vault } from '../../core/vault/port.ts'
import type { IngestDeps } from '../../ingest/import.ts'
import { findCreator } from '../../ingest/platforms/find-creator.ts'
import type { AskDeps } from '../../ingest/platforms/poll-request.ts'
import type { OperatorKeys } from '../../ingest/platforms/poll-rows.ts'
import { QuotaBudget } from '../../ingest/platforms/quota-budget.ts'
import { createWriter, liveLimits } from '../../ingest/writer.ts'
import type { PlatformRegistry } from '../../platforms/registry.ts'
import type { ServerDeps } from '../../server/deps.ts'
import { readApiKey } from '../../server/features/credentials/stored.ts'
import { withAccessToken } from '../../server/features/links/access-token.ts'
import type { OpenOptions } from './stores.ts'

interface Parts {
  readonly vault: Vault
  readonly platforms: PlatformRegistry
}

/** What platforms are asked with in this process: every process counts on the same budget. */
export function platformAsking(
  { config, log }: Pick<OpenOptions, 'config' | 'log'>,
  { db, bus }: Pick<IngestDeps, 'db' | 'bus'>,
  { vault, platforms }: Parts,
): AskDeps {
  const { youtubeApiKey } = config
  return {
    platforms,
    budget: new QuotaBudget({ db, clock: systemClock }),
    withAccessToken: (accountId, work) =>
      withAccessToken({ db, vault, platforms, bus, clock: systemClock, log }, accountId, work),
    readApiKey: (ownerId, vaultId) => readApiKey({ db, vault }, ownerId, vaultId),
    operatorKeys: youtubeApiKey === null ? {} : { youtube: youtubeApiKey },
  }
}

/** What the operator gives for what is public. */
export function operatorOf({ config }: Pick<OpenOptions, 'config'>): OperatorKeys {
  return { platforms: config.youtubeApiKey === null ? [] : ['youtube'], charts: config.youtubeCharts }
}

/** Looks for creators on the platforms at once, for whoever wants to watch them. */
export async function startFindingCreators(
  options: Pick<OpenOptions, 'config' | 'scope' | 'log'>,
  ingest: IngestDeps,
  parts: Parts,
): Promise<ServerDeps['findCreator']> {
  const writer = await options.scope.start(
    'writer of found creators',
    async () => createWriter(ingest, liveLimits),
    writer => writer.close(),
  )
  const deps = {
    ...platformAsking(options, ingest, parts),
    db: ingest.db,
    log: ingest.log,
    writer,
    operator: operatorOf(options),
    isOperatorAmended: options.config.isYoutubeAmended,
  }
  return question => findCreator(deps, question)
}
