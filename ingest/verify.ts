import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../contracts/errors.ts'
import type { ImportSummary } from '../contracts/import.ts'
import { type IngestDeps, runImport } from './import.ts'
import { type ReferenceSet, referenceSets } from './reference-figures.ts'
import { targets } from './rows.ts'

/** One figure of one set: what `SOURCES.md` states and what the import gave. */
export interface VerifiedFigure {
  readonly set: string
  readonly figure: string
  readonly expected: number | string
  readonly actual: number | string
  readonly isEqual: boolean
}

/**
 * Imports every set of a reference folder, one after the other into an empty world, and compares its figures.
 *
 * The world is emptied before each set: **give it a scratch home**. A set whose files are not in the folder is reported with
 * `missing` as its actual figures.
 * @param folder absolute path of the reference data
 * @param onFigure called as each figure is known
 */
export async function verifyReference(
  deps: IngestDeps,
  folder: string,
  onFigure: (figure: VerifiedFigure) => void = () => undefined,
): Promise<VerifiedFigure[]> {
  const all: VerifiedFigure[] = []
  for (const set of referenceSets) {
    for (const figure of await verifySet(deps, folder, set)) {
      all.push(figure)
      onFigure(figure)
    }
  }
  return all
}

/** The same for one set. */
export async function verifySet(deps: IngestDeps, folder: string, set: ReferenceSet): Promise<VerifiedFigure[]> {
  const paths = set.files.flatMap(file => expand(folder, file))
  const actual = paths.length === 0 ? {} : await importAlone(deps, paths)
  return Object.entries(set.figures).map(([figure, expected]) => {
    const found = actual[figure] ?? 'missing'
    // Instants are compared as finely as they are stated.
    const shown = typeof expected === 'string' && figure.endsWith('At') ? `${found}`.slice(0, expected.length) : found
    return { set: set.name, figure, expected, actual: shown, isEqual: shown === expected }
  })
}

function expand(folder: string, file: string): string[] {
  const slash = file.lastIndexOf('/')
  const [under, name] = [file.slice(0, slash), file.slice(slash + 1)]
  const begins = name.endsWith('*') ? name.slice(0, -1) : null
  let entries: string[]
  try {
    entries = readdirSync(join(folder, under))
  } catch {
    return []
  }
  const isWanted = (entry: string) => (begins === null ? entry === name : entry.startsWith(begins))
  return entries
    .filter(isWanted)
    .sort()
    .map(entry => join(folder, under, entry))
}

async function importAlone(deps: IngestDeps, files: string[]): Promise<Record<string, number | string>> {
  const { store, world } = deps
  for (const { table } of Object.values(targets)) await store.command(`TRUNCATE TABLE ${world.database}.${table}`)
  const summaries: ImportSummary[] = []
  // Rollups are not what is checked here, and the world is thrown away afterwards.
  await runImport({ ...deps, settle: async () => undefined }, { files, dryRun: false }, progress => {
    if (progress.type === 'fileDone') summaries.push(progress.summary)
    if (progress.type === 'fileFailed') throw new AppError('INTERNAL', `${progress.file}: ${progress.message}`)
  })
  const stored = { ...(await measureVideos(deps)), ...(await measureCreators(deps)), ...(await measureTopics(deps)) }
  const rows = sum(summaries, summary => summary.rowsRead)
  const accepted = sum(summaries, summary => summary.accepted)
  return {
    ...stored,
    rows,
    badRows: sum(summaries, summary => summary.deadLettered.field_count ?? 0),
    rejectedIds: sum(
      summaries,
      summary => (summary.deadLettered.spreadsheet_id ?? 0) + (summary.deadLettered.invalid_id ?? 0),
    ),
    duplicates: accepted - Number(stored.observations ?? 0),
  }
}

function sum(summaries: readonly ImportSummary[], of: (summary: ImportSummary) => number): number {
  return summaries.reduce((total, summary) => total + of(summary), 0)
}

type Measures = Record<string, number | string>

/** One row per video first, with its latest reading; then sums over the videos. */
async function measureVideos(deps: IngestDeps): Promise<Measures> {
  const { store, world } = deps
  const [row] = await store.query<Measures>(`
    WITH steps AS (
      SELECT platform, video_id, observed_at, creator_id, views, likes, comments, shares,
        lagInFrame(views) OVER (PARTITION BY platform, video_id ORDER BY observed_at
          ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS views_before
      FROM (SELECT * FROM ${world.database}.samples_v1 FINAL)
    ), per_video AS (
      SELECT platform, video_id, count() AS readings,
        argMax(creator_id, observed_at) AS creator,
        argMax(ifNull(views, 0), observed_at) AS last_views,
        argMax(ifNull(likes, 0), observed_at) AS last_likes,
        argMax(ifNull(comments, 0), observed_at) AS last_comments,
        sum(views) AS views_sum, sum(likes) AS likes_sum, sum(comments) AS comments_sum, sum(shares) AS shares_sum,
        countIf(likes IS NULL) AS likes_missing,
        countIf(views < views_before) AS steps_down,
        min(observed_at) AS first_at, max(observed_at) AS last_at
      FROM steps GROUP BY platform, video_id
    )
    SELECT sum(readings) AS observations, count() AS videos, uniqExactIf(creator, creator != '') AS channels,
      sum(last_views) AS lastViews, sum(last_likes) AS lastLikes, sum(last_comments) AS lastComments,
      sum(views_sum) AS observedViews, sum(likes_sum) AS observedLikes, sum(comments_sum) AS observedComments,
      sum(shares_sum) AS observedShares, sum(likes_missing) AS missingLikes, sum(steps_down) AS stepsDown,
      countIf(readings = 1) AS seenOnce,
      toUnixTimestamp64Milli(min(first_at)) AS firstAt, toUnixTimestamp64Milli(max(last_at)) AS lastAt,
      (SELECT uniqExact(observed_at) FROM ${world.database}.samples_v1) AS times
    FROM per_video`)
  const [video] = await store.query<Measures>(`
    SELECT countIf(title = '') AS emptyTitles,
      toUnixTimestamp64Milli(min(published_at)) AS publishedFirstAt,
      toUnixTimestamp64Milli(max(published_at)) AS publishedLastAt
    FROM (
      SELECT argMaxIf(said.title, observed_at, said.title != '') AS title, argMax(said.published_at, observed_at) AS published_at
      FROM ${world.database}.videos_v1 AS said GROUP BY platform, video_id)`)
  const profiles = await store.query<{ name: string; posts: number }>(`
    SELECT substring(creator_id, 6) AS name, count() AS posts FROM (SELECT * FROM ${world.database}.samples_v1 FINAL)
    WHERE platform = 'instagram' AND startsWith(creator_id, 'name:') GROUP BY name ORDER BY name`)
  const list = profiles.map(({ name, posts }) => `${name} ${posts}`).join(', ')
  return { ...withInstants({ ...row, ...video }), profiles: list }
}

async function measureCreators(deps: IngestDeps): Promise<Measures> {
  const table = `${deps.world.database}.creator_samples_v1`
  const [row] = await deps.store.query<Measures>(`
    SELECT count() AS creators, sum(readings) AS creatorSamples, sum(last_views) AS creatorLastViews,
      sum(last_followers) AS creatorLastFollowers,
      toUnixTimestamp64Milli(min(first_at)) AS creatorFirstAt, toUnixTimestamp64Milli(max(last_at)) AS creatorLastAt,
      (SELECT uniqExact(observed_at) FROM ${table}) AS creatorTimes,
      countIf(first_at = (SELECT min(observed_at) FROM ${table})) AS creatorsFirstDay
    FROM (
      SELECT creator_id, count() AS readings, argMax(ifNull(views, 0), observed_at) AS last_views,
        argMax(ifNull(followers, 0), observed_at) AS last_followers, min(observed_at) AS first_at, max(observed_at) AS last_at
      FROM (SELECT * FROM ${table} FINAL) GROUP BY platform, creator_id
    )`)
  return withInstants(row ?? {})
}

async function measureTopics(deps: IngestDeps): Promise<Measures> {
  const { database } = deps.world
  const [row] = await deps.store.query<Measures>(`
    SELECT countIf(NOT is_sound) AS hashtagSamples, countIf(is_sound) AS soundSamples,
      uniqExactIf(endpoint, NOT is_sound) AS hashtags, uniqExactIf(endpoint, is_sound) AS sounds,
      (SELECT uniqExact(observed_at) FROM (SELECT observed_at FROM ${database}.topic_samples_v1
        UNION ALL SELECT observed_at FROM ${database}.creator_samples_v1)) AS discoverTimes
    FROM (SELECT endpoint, startsWith(topic, 'sound: ') AS is_sound FROM ${database}.topic_samples_v1 FINAL)`)
  return row ?? {}
}

/** Epoch milliseconds of the figures that end in `At`, as ISO text. */
function withInstants(row: Measures): Measures {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) =>
      name.endsWith('At') && value !== null ? [name, new Date(Number(value)).toISOString()] : [name, value],
    ),
  )
}
