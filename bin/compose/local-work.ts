import { loadNicheRules } from '../../analytics/niches/rules.ts'
import { tagNiches } from '../../analytics/niches/tag-niches.ts'
import { repairRollups } from '../../analytics/settle.ts'
import type { ImportProgress, ImportRequest } from '../../contracts/import.ts'
import { runImport } from '../../ingest/import.ts'
import { ingestDeps, realWorld } from './roles.ts'
import type { OpenOptions, Stores } from './stores.ts'

/** An import by a verb that has the home to itself: what a server would do afterwards is done here as well. */
export async function importLocally(
  stores: Stores,
  options: OpenOptions,
  request: ImportRequest,
  onProgress: (progress: ImportProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  await repairRollups(stores.store, realWorld)
  await runImport(ingestDeps(stores, options), request, onProgress, signal)
  if (request.dryRun) return
  // While an import runs, rollups follow at a distance: nobody looks at them yet.
  await repairRollups(stores.store, realWorld)
  await tagNiches(stores.store, realWorld, await loadNicheRules(options.paths.niches))
}
