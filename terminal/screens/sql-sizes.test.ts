import { expect, test } from 'vitest'
import { noSqlRuns } from '../../test/terminal-rig.ts'
import type { ActionName } from '../keys/actions.ts'
import { createHttpClient } from '../net/http-client.ts'
import type { QueryResultState } from '../net/query-results.ts'
import { SqlDesks } from '../state/sql-desk.ts'
import { cellWidth } from '../text/width.ts'
import { createStyle } from '../theme/style.ts'
import { themes } from '../theme/themes.ts'
import type { OpenScreen, ScreenDeps, ScreenView } from './screen.ts'
import { sqlFactory } from './sql.ts'

const nowMs = Date.parse('2026-03-01T12:00:00Z')
const rows = Array.from({ length: 60 }, (_, i) => [
  `2017-11-${String((i % 30) + 1).padStart(2, '0')}`,
  i * 1000,
  '猫とcat 🎬',
])
const done: QueryResultState = {
  status: 'done',
  columns: [
    { name: 'day', type: 'Date' },
    { name: 'views', type: 'UInt64' },
    { name: 'title with a long name', type: 'String' },
  ],
  rowCount: rows.length,
  statistics: { elapsedSec: 1, rowsRead: 60, bytesRead: 600 },
  message: '',
  place: null,
  startedAtMs: nowMs - 1000,
  endedAtMs: nowMs,
  rows: (from, count) => rows.slice(from, from + count),
}
const failed: QueryResultState = {
  ...done,
  status: 'failed',
  columns: [],
  rowCount: 0,
  message: `There is nothing of that name ${'in a long sentence '.repeat(20)}(line 1, column 8).`,
  place: { line: 1, column: 8 },
}

const desk = new SqlDesks({ load: () => null, save() {} }, () => () => {}).of('')
desk.keepDraft(Symbol('test'), {
  text: `select '猫🎬', ${'x + '.repeat(60)}1;\n`.repeat(20),
  cursor: 40,
  savedQueryId: null,
})
desk.remember('select 1')

const nothingYet = {
  status: 'loading' as const,
  rows: [],
  asOf: null,
  message: '',
  statusSinceMs: 0,
  changedAtMs: new Map<string, number>(),
}

function viewOf(size: { width: number; height: number; isAscii: boolean; result: QueryResultState }): ScreenView {
  const theme = size.isAscii ? themes.mono : themes.amber
  return {
    width: size.width,
    height: size.height,
    style: createStyle({ theme, depth: size.isAscii ? 0 : 24, isAscii: size.isAscii, isReducedMotion: true }),
    live: () => nothingYet,
    liveSql: () => ({ ...nothingYet, columns: [] }),
    liveAny: () => nothingYet,
    resource: () => ({ status: 'loading', body: null, message: '' }),
    pictures: () => ({ status: 'loading', cells: new Map(), message: '' }),
    result: () => size.result,
    desk,
    serverUrl: 'http://127.0.0.1:1',
    nowMs,
    dataNowMs: nowMs,
    isFocused: true,
    hasPng: false,
  }
}

function opened(view: ScreenView, actions: readonly ActionName[]): OpenScreen {
  const deps: ScreenDeps = {
    ...view,
    ...noSqlRuns,
    results: { start: () => Symbol('result'), cancel() {}, find: async () => ({ ok: true, body: null }) },
    run() {},
    say() {},
    http: createHttpClient({ url: 'http://127.0.0.1:1', tokens: null }),
    account: null,
    ask() {},
    refresh() {},
    openBrowser: async () => false,
    download() {},
    copy() {},
    exportRows() {},
    savePicture() {},
  }
  const start: OpenScreen = sqlFactory.open({ fn: 'SQL', subject: null, args: {} })
  return actions.reduce((screen, name) => screen.act({ name }, deps) ?? screen, start)
}

test.each<[string, ActionName[]]>([
  ['the text', []],
  ['completions', ['editor.complete']],
  ['a selection', ['editor.selectAll']],
  ['the rows', ['sql.run', 'back', 'grid.last', 'grid.right']],
  ['a chart', ['sql.run', 'sql.chart']],
  ['a cell', ['sql.run', 'back', 'grid.lastColumn', 'grid.cell']],
  ['what is exported', ['sql.run', 'export.csv']],
  ['what was run', ['sql.history']],
  ['saved queries', ['sql.open']],
  ['what is saved', ['sql.save']],
])('fills its body exactly with %s, at every size', (_, actions) => {
  for (const result of [done, failed])
    for (const isAscii of [false, true])
      for (const [width, height] of [
        [60, 10],
        [80, 18],
        [109, 20],
        [110, 30],
        [200, 54],
      ] as const) {
        const view = viewOf({ width, height, isAscii, result })
        const lines = opened(view, actions).draw(view)
        expect(lines).toHaveLength(height)
        for (const line of lines) expect(cellWidth(line), `${width}x${height} ${line}`).toBe(width)
      }
})
