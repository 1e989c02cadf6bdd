/**
 * Views at fixed ages, kept when the samples expire. A stored reading is the greatest that is known of the 36 hours up to
 * an age, so it can be stored before the age has passed, again, and in any order; who reads it looks at the clock.
 */
import { z } from 'zod'
import { compose, type QueryTarget, runCommand, runQuery, sqlPart, wholeNumber } from './queries/run-query.ts'
import { frozenAges, type Reading } from './scores.ts'

const hourMs = 3_600_000
const ages = frozenAges.map(({ ms }) => ms / hourMs)
/** Publications that one statement looks at, with all samples of their videos. */
const publicationsPerShard = 50_000

const part = (name: string) =>
  compose(sqlPart('frozen-ages', name), {
    ages: sqlPart('frozen-ages', 'ages'),
    expires: sqlPart('frozen-ages', 'expires'),
    publications: sqlPart('frozen-ages', 'publications'),
  })

/** Stores what the readings after `fromMs`, up to and including `toMs`, say about publications that were looked at before. */
export async function freezeRange(target: QueryTarget, range: { fromMs: number; toMs: number }): Promise<void> {
  await runCommand(target, part('range'), { ages, ...range }, 'rollups:freeze')
}

const CountRow = z.object({ publications: wholeNumber })

/** Looks at all samples of the videos whose publication became known, or known otherwise, since the last call. */
export async function freezeFresh(target: QueryTarget): Promise<void> {
  const [count] = await runQuery(target, part('fresh_count'), {}, CountRow, { tag: 'rollups:freeze' })
  const shards = Math.min(255, Math.ceil((count?.publications ?? 0) / publicationsPerShard))
  for (let shard = 0; shard < shards; shard++) {
    await runCommand(target, part('fresh'), { ages, shard, shards }, 'rollups:freeze')
  }
}

const StoredRow = z.object({ age_hours: wholeNumber, at_ms: wholeNumber, views: wholeNumber })

/** What is stored of a video for that publication, by age in milliseconds; ages that have not passed yet as they stand. */
export async function storedAges(
  target: QueryTarget,
  video: { readonly platform: string; readonly id: string },
  publishedMs: number,
): Promise<Map<number, Reading>> {
  const values = { ages, ...video, publishedMs }
  const rows = await runQuery(target, part('stored'), values, StoredRow, { tag: 'analytics:frozen' })
  return new Map(rows.map(row => [row.age_hours * hourMs, { atMs: row.at_ms, views: row.views }]))
}
