import { AppError } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'
import { discardDeadLetter, listDeadLetters, replayDeadLetter } from '../../ingest/dead-letters.ts'
import type { IngestDeps } from '../../ingest/import.ts'
import { bulkLimits, createWriter } from '../../ingest/writer.ts'
import type { DeadLetterDesk } from '../../server/deps.ts'

/** What the server's routes and the OPS screen do with records that could not be read. */
export function deadLetterDesk(deps: IngestDeps): DeadLetterDesk {
  const forOwner = (ownerId: UserId): IngestDeps => ({ ...deps, ownerId })
  return {
    list: userId => listDeadLetters(forOwner(userId)),
    async replay(userId, which) {
      const own = forOwner(userId)
      const writer = createWriter(own, bulkLimits)
      let replayed = 0
      let kept = 0
      try {
        for await (const id of idsOf(own, which)) {
          const { status } = await replayDeadLetter({ ...own, writer }, id)
          if (status === 'replayed') replayed += 1
          else kept += 1
        }
      } finally {
        await writer.close()
      }
      return { replayed, kept }
    },
    async discard(userId, which) {
      const own = forOwner(userId)
      let discarded = 0
      for await (const id of idsOf(own, which)) {
        await discardDeadLetter(own, id)
        discarded += 1
      }
      return { discarded }
    },
  }
}

/** The ids asked for, or of all that are kept now. */
async function* idsOf(deps: IngestDeps, which: readonly string[] | 'all'): AsyncGenerator<string> {
  if (which !== 'all') {
    if (which.length === 0) throw new AppError('BAD_REQUEST', 'ids must name at least one dead letter.')
    yield* which
    return
  }
  // All of them before the first is dealt with: what is dealt with leaves the pages.
  const ids = new Set<string>()
  for (let skip = 0; ; ) {
    const page = await listDeadLetters(deps, { status: 'kept', skip })
    if (page.length === 0) break
    for (const row of page) ids.add(row.key)
    skip += page.length
  }
  yield* ids
}
