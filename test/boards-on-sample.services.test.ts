import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tagNiches } from '../analytics/niches/tag-niches.ts'
import { repairRollups, settleRollups } from '../analytics/settle.ts'
import { manualClock } from '../core/clock.ts'
import type { World } from '../core/world.ts'
import { runImport } from '../ingest/import.ts'
import { sampleFile } from '../ingest/replay.ts'
import { builtInBoards } from '../server/features/dashboards/built-in.ts'
import { type RunningServer, startServer } from '../server/server.ts'
import { drawPicture } from '../terminal/draw-picture.ts'
import { cacheTokens } from '../terminal/net/access-token.ts'
import { LiveClient } from '../terminal/net/live-client.ts'
import { webSocketConnect } from '../terminal/net/transport.ts'
import { realTimer } from '../terminal/real-timer.ts'
import { boardQueries, choicesQuery, choicesSource, panelQuery, readAnswer } from '../terminal/screens/board-answers.ts'
import type { AnyLiveQuery } from '../terminal/state/live-data.ts'
import { openServerRig, rigToken, type ServerRig } from './server-rig.ts'

// The boards that come with Cliptape, over the real sample, a real server and the terminal's own client.

let rig: ServerRig
let server: RunningServer
let live: LiveClient
let changed = () => {}

beforeAll(async () => {
  rig = await openServerRig()
  const deps = await rig.deps()
  // The sample's last reading: windows end there, as they do for somebody who has imported nothing else.
  const world: World = { database: 'cliptape', clock: manualClock(Date.parse('2017-11-28T00:00:00Z')) }
  const settle = (touched: Parameters<typeof settleRollups>[2]) => settleRollups(rig.store, world, touched)
  const { db, store, bus, log, userId: ownerId } = rig
  await runImport(
    { db, store, bus, log, ownerId, world, settle, clock: deps.clock },
    { files: [sampleFile], dryRun: false, region: 'US' },
    () => {},
  )
  await tagNiches(store, world, deps.niches())
  await repairRollups(store, world)
  const status = () => ({ ...deps.world.status(), mode: 'history' as const, notice: 'The sample.' })
  server = await startServer({ ...deps, world: { current: () => world, status } }, { host: '127.0.0.1', port: 0 })
  live = new LiveClient(
    {
      connect: webSocketConnect(server.url),
      tokens: cacheTokens(async () => rigToken, Date.now),
      setTimer: realTimer,
      nowMs: Date.now,
      random: Math.random,
    },
    () => changed(),
  )
  live.open()
})
afterAll(async () => {
  live.close()
  await server.close(1000)
  await rig.close()
})

/** Panels that are rightly empty: there are no credentials and no dead letters. */
const mayBeEmpty: Readonly<Record<string, readonly string[]>> = {
  'quota-and-ingest-health': ['letters', 'quota-worst', 'quota', 'reasons'],
}

describe('a board that comes with Cliptape', () => {
  it('is one of six', () => {
    expect(builtInBoards().map(({ name }) => name)).toEqual([
      'brain-rot',
      'clip-desk',
      'cohort-of-new-uploads',
      'creator-watch',
      'market-overview',
      'quota-and-ingest-health',
    ])
  })

  it.each(builtInBoards())('$name answers in every panel', async ({ name, board }) => {
    const reads = { live: live.read.bind(live), liveSql: live.readSql.bind(live) }
    const chosen: Record<string, string> = {}
    await watched(boardQueries(board, chosen))
    for (const variable of board.variables) {
      const source = choicesSource(variable)
      if (source === null || (variable.type === 'choice' && variable.default !== undefined)) continue
      chosen[variable.name] = String(readAnswer(choicesQuery(source), reads).rows[0]?.values[source.value])
    }
    await watched(boardQueries(board, chosen))
    const panels = board.panels.map(panel => {
      const query = panelQuery(panel, board, chosen)
      const answer = query === null ? null : readAnswer(query, reads)
      return { id: panel.id, status: answer?.status, message: answer?.message, isEmpty: answer?.rows.length === 0 }
    })
    expect(panels).toEqual(
      board.panels.map(({ id }) => ({
        id,
        status: 'live',
        message: '',
        isEmpty: mayBeEmpty[name]?.includes(id) ?? false,
      })),
    )
  })
})

describe('a picture of a board', () => {
  it('is drawn without a terminal, once its rows have come', async () => {
    const drawn = await drawPicture({
      url: server.url,
      token: async () => rigToken,
      command: 'BOARD creator-watch 30D',
      size: { columns: 160, rows: 48 },
      theme: 'light',
      waitMs: 60_000,
    })
    expect(drawn).toMatchObject({ isWhole: true, picture: { title: 'Creator watch' } })
    for (const text of ['Engagement', 'clips', 'The', 'sample.']) expect(drawn.picture?.svg).toContain(`>${text}<`)
    const nowhere = { token: async () => rigToken, size: { columns: 80, rows: 24 }, theme: 'amber' as const }
    expect(await drawPicture({ ...nowhere, url: server.url, command: 'BOARD no-such-board', waitMs: 60_000 })).toEqual({
      picture: null,
      reason: 'There is no such board.',
    })
  })
})

/** Resolves when every one of these has been answered, well or not. */
async function watched(queries: readonly AnyLiveQuery[]): Promise<void> {
  live.want(queries)
  const isCome = () => queries.every(query => live.readAny(query).status !== 'loading')
  await new Promise<void>(resolve => {
    changed = () => {
      if (isCome()) resolve()
    }
    changed()
  })
}
