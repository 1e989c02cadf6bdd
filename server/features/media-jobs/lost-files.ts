import { z } from 'zod'
import type { ServerDeps } from '../../deps.ts'

type Deps = Pick<ServerDeps, 'db' | 'clock' | 'log' | 'media'>

/** Files that one run looks at. */
const filesMax = 100_000
/** A file is written before its row: younger ones may belong to work that is under way. */
const ageMsMin = 24 * 3_600_000
const idsPerQuery = 1000

/** `media/<owner>/jobs/<job>/<file>` and `media/<owner>/uploads/<upload>/…`, as `files.ts` writes them. */
const keyPattern = /^media\/[^/]+\/(?:jobs\/[^/]+\/([^/]+)|uploads\/([^/]+)\/.+)$/

/**
 * The job: removes files that no row knows any more, because a process died between the two, or the store of files did
 * not answer when they should have gone.
 * @returns how many went
 */
export async function sweepLostFiles(deps: Deps): Promise<number> {
  const keys = await deps.media.blobs.list('media/', filesMax)
  if (keys.length === filesMax) deps.log.warn({ filesMax }, 'There are more files of media than one sweep looks at.')
  let removed = 0
  for (let from = 0; from < keys.length; from += idsPerQuery) {
    for (const key of await unknownAmong(deps, keys.slice(from, from + idsPerQuery))) {
      const found = await deps.media.blobs.stat(key)
      if (found === null || deps.clock.nowMs() - found.modifiedAt.getTime() < ageMsMin) continue
      await deps.media.blobs.delete(key)
      removed += 1
    }
  }
  if (removed > 0) deps.log.info({ removed }, 'Files of media that nothing knew any more were removed.')
  return removed
}

async function unknownAmong({ db }: Deps, keys: readonly string[]): Promise<string[]> {
  const named = keys.map(key => {
    const [, fileId, uploadId] = keyPattern.exec(key) ?? []
    return { key, fileId: idOrNull(fileId), uploadId: idOrNull(uploadId) }
  })
  const known = new Set([
    ...(await knownIds(
      db,
      'media_outputs',
      named.flatMap(one => one.fileId ?? []),
    )),
    ...(await knownIds(
      db,
      'uploads',
      named.flatMap(one => one.uploadId ?? []),
    )),
  ])
  return named.filter(one => !known.has(one.fileId ?? one.uploadId ?? '')).map(one => one.key)
}

async function knownIds(db: Deps['db'], table: 'media_outputs' | 'uploads', ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const rows = await db.system.selectFrom(table).select('id').where('id', 'in', ids).execute()
  return rows.map(row => row.id)
}

function idOrNull(text: string | undefined): string | null {
  return z.uuid().safeParse(text).data ?? null
}
