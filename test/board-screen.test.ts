import { describe, expect, it } from 'vitest'
import { type Board, BoardSchema, type SavedBoard } from '../contracts/dashboards.ts'
import { liveQueries } from '../contracts/ws.ts'
import { builtInBoards } from '../server/features/dashboards/built-in.ts'
import { parseCommand } from '../terminal/command/grammar.ts'
import { createHttpClient } from '../terminal/net/http-client.ts'
import { layOutBoard } from '../terminal/screens/board-layout.ts'
import { findScreen } from '../terminal/screens/registry.ts'
import type { ActionCall, OpenScreen, Picture, ScreenDeps, ScreenView } from '../terminal/screens/screen.ts'
import { type AnyLiveQuery, type LiveState, liveQueryKey } from '../terminal/state/live-data.ts'
import { cellWidth } from '../terminal/text/width.ts'
import { createStyle } from '../terminal/theme/style.ts'
import { themes } from '../terminal/theme/themes.ts'
import { noSql, noSqlRuns, rigStartMs, rigWorld, seededTrends } from './terminal-rig.ts'

// BOARD as a screen: data in, lines and subscriptions out.

const asOf = '2017-11-14T06:30:00.000Z'
const niches = ['Gaming', 'Music', 'Brain rot'].map((label, i) => ({
  key: label.toLowerCase(),
  niche: label.toLowerCase().replace(' ', '-'),
  label,
  level: 100 + i,
  changePct: i - 1,
  baseAt: asOf,
  constituents: 10 + i,
  velocity: 1000 * (i + 1),
  spark: [100, 90 + i, null, 101 + i],
}))
const rowsByName: Readonly<Record<string, readonly object[]>> = {
  trends: seededTrends(30),
  movers: seededTrends(30),
  index: niches,
  world: [rigWorld],
}

interface World {
  width: number
  height: number
  /** What a query has instead of its rows. */
  says?: (query: AnyLiveQuery) => Partial<LiveState & { rows: readonly object[] }> | null
  boards?: readonly SavedBoard[]
  nowMs?: number
  look?: { depth?: 0 | 24; isAscii?: boolean }
}

const builtIns: readonly SavedBoard[] = builtInBoards().map(({ name, board }) => ({
  id: name,
  visibility: 'builtIn',
  isOwn: false,
  version: 1,
  updatedAt: null,
  board,
}))

function viewOf({
  width,
  height,
  says = () => null,
  boards = builtIns,
  nowMs = rigStartMs,
  look = {},
}: World): ScreenView {
  const read = (query: AnyLiveQuery) => ({
    status: 'live' as const,
    asOf,
    message: '',
    statusSinceMs: rigStartMs,
    changedAtMs: new Map<string, number>(),
    rows: 'name' in query ? (rowsByName[query.name] ?? []) : [],
    columns: [],
    ...says(query),
  })
  return {
    width,
    height,
    style: createStyle({ theme: themes.amber, depth: 24, isAscii: false, isReducedMotion: true, ...look }),
    // The rows are those of the query's name; the compiler cannot see that in a table.
    live: query => read(query) as never,
    liveSql: query => read(query) as never,
    liveAny: read,
    resource(query) {
      const found = boards.find(({ id }) => query.path === `/api/dashboards/${id}`)
      const list = boards.map(({ board, ...saved }) => ({
        ...saved,
        name: board.name,
        description: board.description,
        panelCount: board.panels.length,
      }))
      const body = query.path === '/api/dashboards' ? { data: list } : found
      const parsed = query.schema.safeParse(body)
      return parsed.success
        ? { status: 'ready', body: parsed.data, message: '' }
        : { status: 'error', body: null, message: 'There is no such board.' }
    },
    pictures: () => ({ status: 'loading', cells: new Map(), message: '' }),
    ...noSql,
    serverUrl: 'http://127.0.0.1:1',
    nowMs,
    dataNowMs: Date.parse(asOf),
    isFocused: true,
    hasPng: true,
  }
}

function open(text: string): OpenScreen {
  const parsed = parseCommand(text, { focusedSubject: null })
  if (!parsed.ok) throw new Error(parsed.message)
  const screen = findScreen(parsed.command.fn)?.open(parsed.command)
  if (screen === undefined) throw new Error(`There is no screen for ${text}.`)
  return screen
}

function act(screen: OpenScreen, view: ScreenView, ...calls: (ActionCall['name'] | ActionCall)[]) {
  const ran: string[] = []
  const pictures: (Picture & { format: string })[] = []
  const deps: ScreenDeps = {
    ...view,
    run: command => ran.push(command),
    say: () => {},
    http: createHttpClient({ url: 'http://127.0.0.1:1', tokens: null }),
    account: null,
    ask: () => {},
    refresh: () => {},
    openBrowser: async () => false,
    ...noSqlRuns,
    download: () => {},
    exportRows: format => ran.push(`export ${format}`),
    savePicture: (picture, format) => pictures.push({ ...picture, format }),
    copy: () => {},
  }
  let now = screen
  for (const call of calls) now = now.act(typeof call === 'string' ? { name: call } : call, deps) ?? now
  return { screen: now, ran, pictures }
}

const sgr = new RegExp(`${'\u001b'}\\[[\\d;]*m`, 'g')
const textOf = (screen: OpenScreen, view: ScreenView) => screen.draw(view).map(line => line.replace(sgr, ''))
const sizes = [
  [80, 18],
  [60, 10],
  [100, 30],
  [160, 42],
  [250, 64],
] as const

describe.each(builtInBoards())('the board $name', ({ name, board }) => {
  it('has each panel on one page, beside the others, at every size', () => {
    for (const [width, height] of sizes) {
      const pages = new Map<number, string[]>()
      for (const { id } of board.panels) {
        const { rects, page } = layOutBoard(board, { width, height }, id)
        pages.set(
          page,
          rects.map(rect => rect.panel.id),
        )
        expect(rects.some(rect => rect.panel.id === id)).toBe(true)
        for (const [i, a] of rects.entries()) {
          expect([a.x >= 0, a.y >= 0, a.x + a.width <= width, a.y + a.height <= height]).not.toContain(false)
          for (const b of rects.slice(i + 1)) {
            const isBeside = a.x + a.width <= b.x || b.x + b.width <= a.x
            expect([a.panel.id, b.panel.id, isBeside || a.y + a.height <= b.y || b.y + b.height <= a.y]).toContain(true)
          }
        }
      }
      expect([...pages.values()].flat().sort()).toEqual(board.panels.map(({ id }) => id).sort())
    }
  })

  it('fills its body exactly, in every degree of plainness', () => {
    for (const [width, height] of sizes)
      for (const look of [{}, { depth: 0 }, { isAscii: true, depth: 0 }] as const) {
        const view = viewOf({ width, height, look })
        const lines = textOf(act(open(`BOARD ${name}`), view, 'tick').screen, view)
        expect(lines).toHaveLength(height)
        for (const line of lines) expect([line, cellWidth(line)]).toEqual([line, width])
      }
  })

  it('asks for nothing that the protocol refuses', () => {
    const view = viewOf({ width: 160, height: 42 })
    const { screen } = act(open(`BOARD ${name}`), view, 'tick')
    for (const query of screen.queries(view.resource)) {
      if (!('name' in query)) continue
      expect([query, liveQueries[query.name].params.safeParse(query.params).error]).toEqual([query, undefined])
    }
  })
})

describe('a panel that is too narrow for its columns', () => {
  it('leaves out the last ones', () => {
    const board = BoardSchema.parse({
      name: 'Narrow',
      panels: [
        {
          id: 'a',
          title: 'A panel with a long title',
          kind: 'table',
          at: { x: 0, y: 0, width: 3, height: 4 },
          source: { query: 'trends' },
          options: { columns: ['title', 'gain', 'views', 'key'].map(field => ({ field, width: 18 })) },
        },
      ],
    })
    const view = viewOf({
      width: 160,
      height: 20,
      boards: [{ id: 'narrow', visibility: 'private', isOwn: true, version: 1, updatedAt: null, board }],
    })
    const lines = textOf(open('BOARD narrow'), view)
    for (const line of lines) expect(cellWidth(line)).toBe(160)
    expect(lines[1]?.trim()).toBe('TITLE                            GAIN')
  })
})

describe('BOARD', () => {
  const size = { width: 160, height: 42 }
  const queriesOf = (screen: OpenScreen, view: ScreenView) => screen.queries(view.resource).map(liveQueryKey)

  it('lists the boards, and opens one', () => {
    const view = viewOf(size)
    const { screen } = act(open('BOARD'), view, 'move.down', 'row.open')
    expect(textOf(open('BOARD'), view)[1]).toMatch(/Brain rot .* 7 built in/)
    expect(screen.title()).toBe('BOARD clip-desk')
    expect(act(screen, view, 'back').screen.title()).toBe('BOARD')
  })

  it('goes from a row to what tells more of it', () => {
    const view = viewOf(size)
    const desk = act(open('BOARD clip-desk'), view, 'move.down').screen
    expect(act(desk, view, 'row.open').ran).toEqual(['youtube:clip002 DES'])
    expect(act(desk, view, 'row.chart').ran).toEqual(['youtube:clip002 GP'])
    expect(desk.subject(view)).toEqual({ type: 'clip', id: 'youtube:clip002' })
    const niche = act(open('BOARD market-overview'), view, 'board.next', 'move.down')
    expect(act(niche.screen, view, 'row.open').ran).toEqual(['TOP NICHE=music'])
  })

  it('asks for other rows when what it is about changes', () => {
    const view = viewOf(size)
    const before = open('BOARD clip-desk 7D YT')
    expect(queriesOf(before, view)[0]).toContain('["period","7d"],["platform","youtube"]')
    const after = act(before, view, 'period.next', 'platform.tiktok').screen
    expect(queriesOf(after, view)[0]).toContain('["period","30d"],["platform","tiktok"]')
    const form = act(after, view, 'board.variables', 'form.next', 'form.next').screen
    const typed = act(form, view, { name: 'form.text', text: 'gaming' }, 'form.enter').screen
    expect(queriesOf(typed, view)[0]).toContain('["niche","gaming"]')
    expect(queriesOf(open('BOARD clip-desk SET=niche=music'), view)[0]).toContain('["niche","music"]')
  })

  it('takes the first of choices that come from rows, once they are there', () => {
    const waiting = viewOf({ ...size, says: () => ({ status: 'loading', rows: [] }) })
    const screen = act(open('BOARD creator-watch'), waiting, 'tick').screen
    expect(screen.queries(waiting.resource)).toHaveLength(1)
    expect(screen.picture(waiting)).toBeNull()
    const view = viewOf(size)
    const shown = act(screen, view, 'tick').screen
    expect(queriesOf(shown, view).join()).toContain('["id","youtube:clip001"]')
    const form = act(shown, view, 'board.variables', 'form.next').screen
    const typed = act(form, view, { name: 'form.text', text: 'youtube:mine' }, 'form.enter', 'form.enter').screen
    expect(queriesOf(typed, view).join()).toContain('["id","youtube:mine"]')
  })

  it('says of each panel what it lacks, and shows the others', () => {
    const says: World['says'] = query => {
      if (!('name' in query)) return { status: 'error', message: 'The query went over a limit.' }
      return query.name === 'trends' && query.params.sort === 'velocity' ? { status: 'loading', rows: [] } : null
    }
    const lines = textOf(open('BOARD clip-desk'), viewOf({ ...size, says })).join('\n')
    expect(lines).toContain('! Refused')
    expect(lines).toContain('The query went over a limit.')
    expect(lines).toContain('Loading')
    expect(lines).toContain('Gordon reacts to TikTok chefs #1')
  })

  it('says why a panel of one number has none', () => {
    const says: World['says'] = query =>
      'name' in query && query.params.sort === 'outlier' ? { rows: [{ key: 'a', title: 'A', outlier: null }] } : null
    const lines = textOf(open('BOARD market-overview'), viewOf({ ...size, says })).join('\n')
    expect(lines).toContain('No number')
    expect(lines).toContain('No creator has enough')
  })

  it('keeps the rows of what is refused later, and says so in the title', () => {
    const refused: World['says'] = () => ({
      status: 'error',
      message: 'The query went over the limit of memory. '.repeat(9),
    })
    for (const [width, height] of sizes) {
      const view = viewOf({ width, height, says: refused })
      const lines = textOf(open('BOARD market-overview'), view)
      for (const line of lines) expect([line, cellWidth(line)]).toEqual([line, width])
      expect(lines.join('\n')).toContain('REFUSED')
    }
  })

  it('shows a panel alone', () => {
    const view = viewOf(size)
    const { screen } = act(open('BOARD clip-desk'), view, 'board.zoom')
    expect(textOf(screen, view).join('\n')).not.toContain('Fastest now')
    expect(textOf(act(screen, view, 'back').screen, view).join('\n')).toContain('Fastest now')
  })

  it('keeps the rows of a board that is renewed by beats until the next one', () => {
    let notice = 'First.'
    const at = (nowMs: number) =>
      viewOf({
        ...size,
        nowMs,
        says: query => ('name' in query && query.name === 'world' ? { rows: [{ ...rigWorld, notice }] } : null),
      })
    const { screen } = act(open('BOARD quota-and-ingest-health'), at(rigStartMs), 'tick')
    notice = 'Second.'
    const soon = act(screen, at(rigStartMs + 4_999), 'tick').screen
    expect(textOf(soon, at(rigStartMs + 4_999)).join()).toContain('First.')
    const later = act(soon, at(rigStartMs + 5_000), 'tick').screen
    expect(textOf(later, at(rigStartMs + 5_000)).join()).toContain('Second.')
  })

  it('shows the boards of a wall in turn, the next one when its rows have come', () => {
    const isSlow = { value: true }
    const says: World['says'] = query =>
      'name' in query && query.params.sort === 'outlier' && isSlow.value ? { status: 'loading', rows: [] } : null
    const at = (ms: number) => viewOf({ ...size, nowMs: rigStartMs + ms, says })
    const shown = (screen: OpenScreen, ms: number) => textOf(screen, at(ms))[0]?.trim().split('  ')[0]
    let screen = act(open('BOARD WALL brain-rot,clip-desk EVERY=60s'), at(0), 'tick').screen
    expect([shown(screen, 0), screen.queries(at(0).resource).length]).toEqual(['Brain rot', 8])
    screen = act(screen, at(51_000), 'tick').screen
    expect(screen.queries(at(0).resource).length).toBe(8 + 6)
    screen = act(screen, at(61_000), 'tick').screen
    expect(shown(screen, 61_000)).toBe('Brain rot')
    isSlow.value = false
    screen = act(screen, at(62_000), 'tick').screen
    expect(shown(screen, 62_000)).toBe('Clip desk')
    expect(act(screen, at(63_000), 'board.wall').screen.title()).toBe('BOARD clip-desk')
  })

  it('is saved as rows, or as a picture in which no text is markup', () => {
    const hostile: Board = BoardSchema.parse({
      name: '<script>alert("x")</script> & co',
      panels: [
        {
          id: 'a',
          title: '"><svg onload=x>',
          kind: 'log',
          at: { x: 0, y: 0, width: 12, height: 4 },
          source: { query: 'world' },
          options: { text: ['notice'] },
        },
      ],
    })
    const saved: SavedBoard = {
      id: 'hostile',
      visibility: 'private',
      isOwn: true,
      version: 1,
      updatedAt: null,
      board: hostile,
    }
    const view = viewOf({ ...size, boards: [saved] })
    const menu = act(open('BOARD hostile'), view, 'export.csv').screen
    expect(menu.isTyping()).toBe(true)
    expect(act(menu, view, 'form.enter').ran).toEqual(['export csv'])
    const [picture] = act(menu, view, 'form.next', 'form.next', 'form.enter').pictures
    expect([picture?.format, picture?.title]).toEqual(['svg', hostile.name])
    expect(picture?.svg).toContain('<title>&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; co</title>')
    expect(picture?.svg.match(/<(?!\/?(svg|title|rect|text)[ >])/g)).toBeNull()
    expect(picture?.svg).toContain('>replay')
  })
})
