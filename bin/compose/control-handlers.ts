import { repairRollups } from '../../analytics/settle.ts'
import type { BackupProgress } from '../../contracts/control.ts'
import { systemClock } from '../../core/clock.ts'
import type { SqlGate } from '../../core/sql-gate/gate.ts'
import { type IngestDeps, runImport } from '../../ingest/import.ts'
import type { LocalTokens } from '../../server/auth/local-tokens.ts'
import type { Accounts } from '../../server/auth/open-accounts.ts'
import type { ControlHandlers } from '../../server/control/handlers.ts'
import { addAccount, changeRole, listAccounts, renewLink } from '../../server/features/accounts/administration.ts'
import { createBackup } from '../backup/create-backup.ts'
import { ownerKeys } from '../owner-keys.ts'
import { queryAsOwner } from '../query-stream.ts'
import { cliptapeVersion } from '../version.ts'
import type { OpenOptions, Stores } from './stores.ts'
import type { OpenVault } from './vault.ts'
import type { Worlds } from './worlds.ts'

/** What the other verbs may ask of a running server, through the socket in its home. */
export function controlHandlers(
  parts: OpenOptions & {
    stores: Stores
    gate: SqlGate
    worlds: Worlds
    ingest: IngestDeps
    tokens: LocalTokens
    accounts: Accounts
    rotateVault: OpenVault['rotate']
    startedAt: Date
    url: () => string | null
  },
): ControlHandlers {
  const { stores, gate, worlds, ingest, paths } = parts
  const keys = ownerKeys(stores, parts.log)
  const accountDeps = { ...stores, clock: systemClock, log: parts.log, accounts: parts.accounts }
  return {
    status: async () => ({
      pid: process.pid,
      version: cliptapeVersion,
      home: paths.root,
      url: parts.url(),
      startedAt: parts.startedAt.toISOString(),
      world: worlds.status(),
    }),
    token: ({ hours }) => (hours === undefined ? parts.tokens.present() : parts.tokens.issue(hours * 3_600_000)),
    import: async (request, onProgress, signal) => {
      await runImport(ingest, request, onProgress, signal)
      // While an import runs, rollups follow at a distance. Questions are exact without them, only dearer.
      if (!request.dryRun) await repairRollups(stores.store, ingest.world)
    },
    query: (request, signal) => queryAsOwner({ gate, ...stores }, request, signal),
    startReplay: request => worlds.startReplay(request),
    stopReplay: () => worlds.stopReplay(),
    backup: (request, onProgress: (progress: BackupProgress) => void) =>
      createBackup(stores, { path: request.path, version: cliptapeVersion }, onProgress),
    listKeys: () => keys.list(),
    createKey: request => keys.create(request),
    revokeKey: id => keys.revoke(id),
    listAccounts: () => listAccounts(stores),
    addAccount: request => addAccount(accountDeps, request),
    changeRole: request => changeRole(accountDeps, request),
    renewLink: email => renewLink(accountDeps, email),
    async rotateVault(onProgress, signal) {
      const done = await parts.rotateVault(progress => onProgress({ type: 'progress', ...progress }), signal)
      onProgress({ type: 'done', ...done })
    },
  }
}
