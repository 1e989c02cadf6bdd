import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { WorldStatus } from '../contracts/ws.ts'
import { manualClock } from '../core/clock.ts'
import { type ReplayOptions, sampleFile, startReplay } from './replay.ts'
import { createIngestStats } from './stats.ts'
import { openRig, type Rig } from './test-rig.ts'

let rig: Rig
const folder = mkdtempSync(join(tmpdir(), 'cliptape-replay-'))
beforeAll(async () => {
  rig = await openRig()
})
afterAll(async () => {
  await rig.close()
  rmSync(folder, { recursive: true })
})

const hourMs = 3_600_000
const day = (date: string) => Date.UTC(2026, 0, Number(date))
/** Two rows on each of four days, and one at an instant of its own. */
const rows = ['1', '2', '3', '4'].flatMap(date =>
  ['1', '2'].map(id => `tiktok,${id},2026-01-0${date},${Number(date) * 100 + Number(id)}`),
)
const history = join(folder, 'history.csv')
writeFileSync(history, ['platform,video_id,observed_at,views', ...rows, 'tiktok,3,2026-01-03T07:00:00Z,5'].join('\n'))

async function play(options: Partial<ReplayOptions> = {}) {
  const clock = manualClock(1_000_000)
  const { deps, prepareWorld, dropWorld } = rig
  const replay = await startReplay(
    { ...deps, clock, prepareWorld, dropWorld },
    { file: history, speed: 3600, loop: false, preloadDays: 2, ...options },
  )
  const stored = async () => {
    const found = await deps.store.query<{ id: string; at: number }>(
      'SELECT video_id AS id, toUnixTimestamp64Milli(observed_at) AS at FROM replay.samples_v1 FINAL ORDER BY at, id',
    )
    return found.map(({ id, at }) => `${id} ${new Date(at).toISOString().slice(8, 13)}`)
  }
  /** Lets hours of data time pass: at 3600 data seconds a second, one hour a second. */
  const pass = async (hours: number) => {
    clock.advance(hours * 1000)
    await replay.deliverDue()
  }
  return { replay, stored, pass }
}
const firstDays = ['1 01T00', '2 01T00', '1 02T00', '2 02T00']

describe('a replay', () => {
  test('loads the first days at once, then each row when its clock reaches it', async () => {
    const { replay, stored, pass } = await play()
    expect(replay.world.database).toBe('replay')
    expect(replay.world.clock.nowMs()).toBe(day('3'))
    expect(await stored()).toEqual(firstDays)
    // The two rows of 3 January have only a date: they come at a quarter and three quarters of that day.
    await pass(5)
    expect(await stored()).toEqual(firstDays)
    await pass(1)
    expect(await stored()).toEqual([...firstDays, '1 03T00'])
    await pass(1)
    expect(await stored()).toEqual([...firstDays, '1 03T00', '3 03T07'])
    await pass(11)
    expect(await stored()).toEqual([...firstDays, '1 03T00', '2 03T00', '3 03T07'])
    expect(replay.world.clock.nowMs()).toBe(day('3') + 18 * hourMs)
    await replay.stop()
  })

  test('is seen in OPS with its rows, its rate and what could not be read, until it stops', async () => {
    const file = join(folder, 'broken.csv')
    writeFileSync(file, ['platform,video_id,observed_at,views', ...rows, 'tiktok,3,2026-01-03,-5'].join('\n'))
    const clock = manualClock(1_000_000)
    const stats = createIngestStats(clock)
    const { deps, prepareWorld, dropWorld } = rig
    const options = { file, speed: 3600, loop: false, preloadDays: 2 }
    const replay = await startReplay({ ...deps, clock, stats, prepareWorld, dropWorld }, options)
    clock.advance(1_000)
    await replay.deliverDue()
    clock.advance(6_000)
    await replay.deliverDue()
    const [writer, source] = stats.rows()
    expect(writer).toMatchObject({ group: 'writer', name: 'replay', detail: expect.stringMatching(/^7 rows written/) })
    expect(source).toMatchObject({
      group: 'source',
      name: 'replay of import:generic',
      state: 'warn',
      detail: '5 of 6 rows accepted, last 1970-01-01T00:16:47Z; 1 dead-lettered: bad_number',
    })
    await replay.stop()
    expect(stats.rows()).toEqual([])
  })

  test('never mixes with real rows and takes its own with it when it stops', async () => {
    const { replay } = await play()
    expect((await rig.content()).trim()).toBe('')
    await replay.stop()
    expect(await rig.deps.store.query("SELECT name FROM system.databases WHERE name = 'replay'")).toEqual([])
  })

  test('stands still at its end, and says so', async () => {
    const { replay, stored, pass } = await play()
    await pass(1000)
    expect(await stored()).toHaveLength(9)
    expect(replay.world.clock.nowMs()).toBe(day('5'))
    expect(replay.status().notice).toBe(
      'Replay of history.csv: readings of 1 Jan 2026 to 4 Jan 2026. It has reached its end. Not live data.',
    )
    await replay.stop()
  })

  test('in a loop begins again with an empty world and tells so', async () => {
    const told: WorldStatus[] = []
    const unsubscribe = await rig.deps.bus.subscribe('world.changed', status => {
      told.push(status)
    })
    const { replay, stored, pass } = await play({ loop: true })
    await pass(47)
    expect(await stored()).toHaveLength(9)
    await pass(1)
    expect(await stored()).toEqual(firstDays)
    expect(replay.world.clock.nowMs()).toBe(day('3'))
    await pass(6)
    expect(await stored()).toEqual([...firstDays, '1 03T00'])
    expect(told.map(status => status.now)).toEqual(['2026-01-03T00:00:00.000Z', '2026-01-03T00:00:00.000Z'])
    await unsubscribe()
    await replay.stop()
  })

  test('of the shipped sample says what it is in plain words', async () => {
    const { replay, stored } = await play({ file: sampleFile, preloadDays: 3 })
    expect(replay.status()).toEqual({
      mode: 'replay',
      notice: 'Sample replay: US YouTube trending, 14–28 Nov 2017 (Kaggle, CC0). Not live data.',
      now: '2017-11-17T00:00:00.000Z',
      speed: 3600,
      sources: ['import:youtube-trending:US'],
    })
    expect(await stored()).toHaveLength(600)
    await replay.stop()
  })

  test('refuses a speed out of range and a file without rows', async () => {
    await expect(play({ speed: 0 })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    const empty = join(folder, 'empty.csv')
    writeFileSync(empty, 'platform,video_id,observed_at,views\n')
    await expect(play({ file: empty })).rejects.toThrow(/empty\.csv has no readable rows/)
  })
})
