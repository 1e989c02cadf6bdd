import { z } from 'zod'
import { compose, type QueryTarget, runCommand, runQuery, sqlPart } from './queries/run-query.ts'

/** Videos of one statement: as text they stay below what the engine parses. */
const keysMax = 5_000
const KeyRow = z.object({ video_key: z.string().transform(BigInt) })
const tag = 'retention'

/** What is looked for, and where it is forgotten. */
const rounds = [
  { find: 'niches', forget: ['forget_niches'] },
  { find: 'links', forget: ['forget_creators', 'forget_publications', 'forget_vods'] },
] as const

/**
 * The job: the engine removes what expires by itself; what was made of it, and has no time of its own, goes here. That is
 * niches, once nothing describes a video any more, and which creator published it when, once nothing of it is left.
 *
 * @returns how many videos something was forgotten of
 */
export async function forgetVideos(target: QueryTarget): Promise<{ videos: number }> {
  const forgotten = new Set<bigint>()
  const undescribed = sqlPart('retention', 'undescribed')
  for (const { find, forget } of rounds) {
    const text = compose(sqlPart('retention', find), { undescribed })
    for (let isMore = true; isMore; ) {
      const rows = await runQuery(target, text, { limit: keysMax }, KeyRow, { tag })
      const keys = rows.map(row => row.video_key)
      if (keys.length > 0)
        for (const part of forget) await runCommand(target, sqlPart('retention', part), { keys }, tag)
      for (const key of keys) forgotten.add(key)
      isMore = keys.length === keysMax
    }
  }
  return { videos: forgotten.size }
}
