import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { countDeadLetters, discardDeadLetter, listDeadLetters, replayDeadLetter } from './dead-letters.ts'
import { sampleFile } from './replay.ts'
import { createIngestStats } from './stats.ts'
import { openRig, type Rig } from './test-rig.ts'
import { createWriter } from './writer.ts'

let rig: Rig
const folder = mkdtempSync(join(tmpdir(), 'cliptape-import-'))
beforeAll(async () => {
  rig = await openRig()
})
afterAll(async () => {
  await rig.close()
  rmSync(folder, { recursive: true })
})
beforeEach(async () => {
  await rig.clear()
  await rig.deps.db.asUser(rig.deps.ownerId, async trx => {
    for (const table of ['dead_letters', 'imports', 'drop_counts'] as const) await trx.deleteFrom(table).execute()
  })
})

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const mixed = [
  'platform,video_id,observed_at,views,title,creator_name',
  'youtube,dQw4w9WgXcQ,2026-01-01,10,First #shorts,Somebody',
  'youtube,#NAME?,2026-01-01,10,Second,Somebody',
  'youtube,dQw4w9WgXcQ,2026-01-02,25,First #shorts,Somebody',
  'youtube,dQw4w9WgXcQ,2026-01-03,,First #shorts,Somebody',
  'tiktok,7,2026-01-01',
].join('\n')

describe('an import', () => {
  test('counts every row read as accepted, dropped or dead-lettered, and keeps the broken ones', async () => {
    const { summaries, failures } = await rig.import({ files: [file('mixed.csv', mixed)] })
    expect(failures).toEqual([])
    expect(summaries[0]).toMatchObject({
      format: 'generic-csv',
      rowsRead: 5,
      accepted: 2,
      dropped: { no_counter: 1 },
      deadLettered: { spreadsheet_id: 1, field_count: 1 },
      written: { sample: 2, video: 1, creator: 1 },
    })
    const letters = await listDeadLetters(rig.deps)
    expect(letters.map(({ reason, line, file, excerpt, status }) => ({ reason, line, file, excerpt, status }))).toEqual(
      expect.arrayContaining([
        {
          reason: 'spreadsheet_id',
          line: 3,
          file: 'mixed.csv',
          excerpt: 'youtube,#NAME?,2026-01-01,10,Second,Somebody',
          status: 'kept',
        },
        { reason: 'field_count', line: 6, file: 'mixed.csv', excerpt: 'tiktok,7,2026-01-01', status: 'kept' },
      ]),
    )
  })

  test('of the same file again changes nothing, dead letters and drop counts included', async () => {
    const path = file('mixed.csv', mixed)
    await rig.import({ files: [path] })
    const before = await rig.content()
    await rig.import({ files: [path] })
    copyFileSync(path, join(folder, 'other-name.csv'))
    await rig.import({ files: [join(folder, 'other-name.csv')] })
    expect(await rig.content()).toBe(before)
    expect(await countDeadLetters(rig.deps)).toEqual([
      { reason: 'field_count', count: 1 },
      { reason: 'spreadsheet_id', count: 1 },
    ])
    const drops = await rig.deps.db.asUser(rig.deps.ownerId, trx => trx.selectFrom('drop_counts').selectAll().execute())
    expect(drops.map(drop => [drop.source, drop.reason, Number(drop.row_count)])).toEqual([
      ['import:generic', 'no_counter', 1],
    ])
  })

  test('keeps the reading with the most views, whatever the order of rows and files', async () => {
    const header = 'platform,video_id,observed_at,views,likes\n'
    const low = file('low.csv', `${header}tiktok,1,2026-01-01,5,9\ntiktok,1,2026-01-01,7,1\n`)
    const high = file('high.csv', `${header}tiktok,1,2026-01-01,7,2\ntiktok,1,2026-01-01,6,99\n`)
    for (const files of [
      [low, high],
      [high, low],
    ]) {
      await rig.clear()
      await rig.import({ files })
      const rows = await rig.deps.store.query('SELECT views, likes FROM cliptape.samples_v1 FINAL')
      expect(rows).toEqual([{ views: 7, likes: 2 }])
    }
  })

  test('keeps both rows when two countries hold the same video and day', async () => {
    const text = 'video_id,trending_date,channel_title,views,likes,comment_count\ndQw4w9WgXcQ,17.14.11,c,5,4,2\n'
    await rig.import({ files: [file('USvideos.csv', text), file('FRvideos.csv', text)] })
    expect(await rig.deps.store.query('SELECT source FROM cliptape.samples_v1 FINAL ORDER BY source')).toEqual([
      { source: 'import:youtube-trending:FR' },
      { source: 'import:youtube-trending:US' },
    ])
    const regions = await rig.deps.store.query('SELECT regions FROM cliptape.videos_v1 FINAL ORDER BY source')
    expect(regions).toEqual([{ regions: ['FR'] }, { regions: ['US'] }])
  })

  test('that is a dry run writes nothing and counts the same', async () => {
    const { summaries } = await rig.import({ files: [file('mixed.csv', mixed)], dryRun: true })
    expect(summaries[0]).toMatchObject({ rowsRead: 5, accepted: 2, written: {} })
    expect((await rig.content()).trim()).toBe('')
    expect(await listDeadLetters(rig.deps)).toEqual([])
  })

  test('goes on with the next file when one cannot be read', async () => {
    const { summaries, failures, progress } = await rig.import({
      files: [join(folder, 'absent.csv'), file('odd.csv', 'a,b\n1,2\n'), file('mixed.csv', mixed)],
    })
    expect(failures.map(failure => failure.code)).toEqual(['NOT_FOUND', 'BAD_REQUEST'])
    expect(summaries).toHaveLength(1)
    expect(progress.at(-1)).toEqual({ type: 'done', files: 3, failed: 2 })
  })

  test('shows its source in OPS with what it read and why rows were refused', async () => {
    const stats = createIngestStats(rig.deps.clock)
    const deps = { ...rig.deps, stats }
    const { runImport } = await import('./import.ts')
    await runImport(deps, { files: [file('mixed.csv', mixed)], dryRun: false }, () => undefined)
    expect(stats.rows()).toMatchObject([
      {
        key: 'source:import:generic',
        group: 'source',
        state: 'warn',
        detail: expect.stringMatching(/^2 of 5 rows accepted.*1 dropped: no_counter.*1 dead-lettered: spreadsheet_id/),
      },
    ])
  })

  test('of the shipped sample gives 3,000 readings of 791 videos', async () => {
    const { summaries } = await rig.import({ files: [sampleFile] })
    expect(summaries[0]).toMatchObject({ format: 'youtube-trending-2018', rowsRead: 3000, accepted: 3000, notes: [] })
    const [row] = await rig.deps.store.query<{ videos: number; titled: number }>(
      `SELECT uniqExact(video_id) AS videos, (SELECT countIf(title != '') FROM cliptape.videos_v1 FINAL) AS titled
       FROM cliptape.samples_v1`,
    )
    expect(row).toEqual({ videos: 791, titled: 791 })
  })
})

describe('a dead letter', () => {
  test('stays kept with its reason when it is replayed and still cannot be read', async () => {
    await rig.import({ files: [file('mixed.csv', mixed)] })
    const letter = (await listDeadLetters(rig.deps)).find(({ reason }) => reason === 'field_count')
    const writer = createWriter(rig.deps)
    const result = await replayDeadLetter({ ...rig.deps, writer }, letter?.key ?? '')
    await writer.close()
    expect(result).toEqual({
      status: 'kept',
      reason: 'field_count',
      message: 'The record has 3 fields; the header has 6.',
    })
  })

  test('is written through the same steps once it can be read, and then is replayed for good', async () => {
    await rig.import({ files: [file('mixed.csv', mixed)] })
    const letter = (await listDeadLetters(rig.deps)).find(({ reason }) => reason === 'field_count')
    const id = letter?.key ?? ''
    // As if a newer version knew how to read it: the record as kept is whole now.
    const payload = {
      record: 'tiktok,7,2026-01-01,3,T,C',
      table: { columns: mixed.split('\n')[0]?.split(','), delimiter: ',' },
      snapshotAtMs: 0,
    }
    await rig.deps.db.asUser(rig.deps.ownerId, trx =>
      trx
        .updateTable('dead_letters')
        .set({ payload: Buffer.from(JSON.stringify(payload)) })
        .where('id', '=', id)
        .execute(),
    )
    const writer = createWriter(rig.deps)
    const deps = { ...rig.deps, writer }
    expect(await replayDeadLetter(deps, id)).toEqual({ status: 'replayed', reason: null, message: null })
    await expect(replayDeadLetter(deps, id)).rejects.toMatchObject({ code: 'CONFLICT' })
    await writer.close()
    expect(await rig.content()).toContain('"video_id":"7"')
    expect((await listDeadLetters(rig.deps, { status: 'kept' })).map(({ reason }) => reason)).toEqual([
      'spreadsheet_id',
    ])
  })

  test('can be discarded, and an id that is none is not found', async () => {
    await rig.import({ files: [file('mixed.csv', mixed)] })
    const [letter] = await listDeadLetters(rig.deps)
    await discardDeadLetter(rig.deps, letter?.key ?? '')
    expect(await listDeadLetters(rig.deps, { status: 'kept' })).toHaveLength(1)
    await expect(discardDeadLetter(rig.deps, 'not-an-id')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
