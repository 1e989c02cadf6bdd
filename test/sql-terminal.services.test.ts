import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../sql/read.ts'
import { hasTmux, openTmux, type Tmux } from './services/tmux.ts'

// From an empty home to a saved, charted and exported query, by keyboard alone, with the program and a terminal as they are.

const cliptape = join(packageRoot, 'bin/cliptape.mjs')
let home = ''
/** Where the program is started, which is where it saves. */
let folder = ''
let terminal: Tmux

describe.skipIf(!hasTmux())('a new user who asks in SQL', () => {
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'cliptape-sql-'))
    folder = join(home, 'saved')
    mkdirSync(folder)
    terminal = openTmux({ name: `cliptape-sql-${process.pid}`, columns: 80, rows: 24, home })
  })
  afterAll(() => {
    terminal.close()
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  })

  /** Whatever was written before is gone. */
  async function write(text: string): Promise<void> {
    terminal.press('M-n')
    await terminal.shows('begin to type')
    terminal.type(text)
  }

  test('learns from HELP how to begin, and completes a table', async () => {
    terminal.press(`cd ${folder}; clear; node ${cliptape} up`, 'Enter')
    await terminal.shows(' 1 TOP CLIPS 24H')
    terminal.press('HELP SQL', 'Enter')
    await terminal.shows('Ctrl-J')
    terminal.press('SQL', 'Enter')
    await terminal.shows('v.samples')
    terminal.type('sel')
    await terminal.shows('The columns and expressions')
    terminal.press('Tab')
    terminal.type(' count() from v.samp')
    await terminal.shows('One reading of the counters of one video')
    terminal.press('Tab')
    await terminal.shows('SELECT count() from v.samples')
    terminal.press('C-j')
    await terminal.shows('─ 1 row ')
  })

  test('is told the line and the column of a mistake, and mends it', async () => {
    await write('SELECT toDate(number * 7) AS day,')
    terminal.press('Enter')
    terminal.type('  nombre * 2 AS views FROM numbers(100)')
    terminal.press('C-j')
    await terminal.shows(/^! 2 {3}nombre/m)
    await terminal.shows('line 2, column 3')
    terminal.press('Home')
    for (let i = 0; i < 'nombre'.length; i += 1) terminal.press('Delete')
    terminal.type('number')
    await terminal.shows('rowNumberInBlock')
    // Two keys at once would be one with Alt.
    terminal.press('Escape')
    await terminal.shows(screen => !screen.includes('rowNumberInBlock'))
    terminal.press('C-j')
    await terminal.shows('100 rows')
    await terminal.shows(/^ +3 1970-01-15 +4/m)
  })

  test('saves it, charts it and exports it', async () => {
    terminal.press('C-s')
    await terminal.shows('Save this query')
    terminal.type('Views of weeks')
    terminal.press('Enter', 'Enter', 'Right', 'Enter')
    await terminal.shows('Views of weeks v1 shared')
    terminal.press('Escape')
    await terminal.shows('i edit')
    terminal.press('c')
    await terminal.shows('views  by day, line')
    terminal.press('e')
    await terminal.shows('JSON lines')
    terminal.press('Enter')
    await terminal.shows(/Saved .*cliptape-views-of-weeks-/)
    const files = readdirSync(folder)
    expect(files).toEqual([expect.stringMatching(/^cliptape-views-of-weeks-\d{8}T\d{6}Z\.csv$/)])
    const lines = readFileSync(join(folder, files[0] ?? ''), 'utf8')
      .trim()
      .split('\n')
    expect(lines).toHaveLength(101)
    expect(lines[0]).toMatch(/day.*views/)
  })

  test('shares it, and begins an alert on it', async () => {
    terminal.press('u')
    await terminal.shows('Copied the command that opens it')
    terminal.press('Right')
    await terminal.shows('views UInt64')
    terminal.press('A')
    await terminal.shows(/A new alert[\s\S]*Column +\[views/)
    terminal.press('Escape')
    await terminal.shows(screen => !screen.includes('A new alert'))
    terminal.press('Escape')
    await terminal.shows(/^ 1 SQL Views of weeks/m)
  })

  test('finds all of it again after a restart', async () => {
    terminal.press('i')
    await terminal.shows('Esc to the rows')
    terminal.press('C-End')
    terminal.type(' WHERE number < 5')
    await terminal.shows('WHERE number < 5')
    terminal.press('C-c', 'C-c')
    await terminal.shows(/^prompt> ?$/m)
    terminal.press(`clear; node ${cliptape} up SQL`, 'Enter')
    await terminal.shows('WHERE number < 5')
    terminal.press('C-j')
    await terminal.shows('5 rows')
    terminal.press('C-s')
    await terminal.shows('Save a new version of Views of weeks')
    terminal.press('Enter', 'Enter', 'Enter')
    await terminal.shows('Views of weeks v2 shared')
    terminal.press('C-c', 'C-c')
    await terminal.shows(/^prompt> ?$/m)
  })
})
