/**
 * How the rows of SQL feel when there are a million of them: `cliptape terminal` on a server of its own, on a terminal
 * device of 160×48, typed into from outside.
 * - From a key to its frame: rows, pages, jumps to both ends and columns, over all the rows; against TOP in the same run.
 * - The same while the rows are still coming.
 * - The memory of the terminal before the rows, when all have come, and after all the keys.
 * - What a page would cost if the server were asked for it instead: the same query with LIMIT and OFFSET.
 * Prints one JSON object, times in milliseconds. Linux; needs `script` (util-linux). Argument: another count of rows.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../sql/read.ts'
import { cliOn, endProcess } from '../test/cli.ts'
import { type Figures, figuresOf, keyCount, keysOnTop, rest, TypedInto } from './typed-terminal.ts'

const rowCount = Number(process.argv[2] ?? 1_000_000)
/** Sorted, so that a page of it by OFFSET is always the same page. */
const sql = `select cityHash64(number) as h, number, toString(number * 7919) as t, number / 3 as f, if(number % 5 = 0, null, number) as x from numbers(${rowCount}) order by h`
const rowCountText = rowCount.toLocaleString('en-US')
/** The line that says where one is; it is sent whenever that changes. */
const place = /row [\d,]+ of [\d,]+/
const keys = {
  up: '\u001b[A',
  down: '\u001b[B',
  right: '\u001b[C',
  left: '\u001b[D',
  pageDown: '\u001b[6~',
  pageUp: '\u001b[5~',
  toRows: '\u001b[1;3B',
}

const root = await mkdtemp(join(tmpdir(), 'cliptape-bench-'))
const home = join(root, 'home')
const cli = cliOn(home)
let terminal: TypedInto | null = null
await mkdir(home)
const server = await cli.serve()

try {
  const env = { PATH: process.env.PATH, HOME: home, CLIPTAPE_HOME: home, XDG_CONFIG_HOME: root, LANG: 'C.UTF-8' }
  const look = { COLORTERM: 'truecolor', TERM: 'xterm-256color' }
  terminal = new TypedInto(`${process.execPath} ${join(packageRoot, 'bin/cliptape.mjs')} terminal`, { ...env, ...look })
  await terminal.press('', 'VEL/H')
  const top = await keysOnTop(terminal)

  await terminal.press('SQL\r', 'begin to type')
  // A paste, so that nothing is completed or paired.
  await terminal.press(`\u001b[200~${sql}\u001b[201~`, 'order')
  const before = terminal.memoryMb()
  await terminal.press('\n', 'running')
  // Esc would cancel the query.
  await terminal.press(keys.toRows, place)
  // The line of the place changes by itself then; as on TOP, the status line names the key.
  const whileRowsCome = await keysOnTop(terminal)
  // What is there already is painted again.
  await terminal.press('\f', `${rowCountText} rows`)
  const allRowsMs = Math.round(await terminal.press('r', new RegExp(`(?<!running {2})${rowCountText} rows {2}`)))
  const withRows = terminal.memoryMb()
  const grid = await keysOnRows(terminal)
  const afterKeys = terminal.memoryMb()
  const page = await pagesOfServer()
  await terminal.quit()
  terminal = null
  process.stdout.write(
    `${JSON.stringify(
      {
        bench: 'sql-grid',
        load: loadavg().map(value => Math.round(value)),
        rows: rowCount,
        keyToFrameMs: { top, grid, whileRowsCome },
        ratioToTop: Math.round((grid.median / top.median) * 100) / 100,
        allRowsMs,
        memoryMb: { before, withRows, afterKeys },
        pageOfServerMs: page,
        goals: { keyToFrameMs: 33 },
      },
      null,
      2,
    )}\n`,
  )
} finally {
  terminal?.kill()
  await endProcess(server.child, 'SIGTERM')
  await rm(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}

/** Every key moves, so that the frame which answers says another place. */
async function keysOnRows(of: TypedInto): Promise<Figures> {
  const round = [
    'g',
    keys.pageDown,
    keys.right,
    keys.down,
    keys.pageDown,
    'G',
    keys.pageUp,
    keys.up,
    keys.pageUp,
    keys.left,
  ]
  await of.press('G', `row ${rowCountText} of`)
  const taken = []
  for (let i = 0; i < keyCount; i += 1) {
    taken.push(await of.press(round[i % round.length] ?? 'g', place))
    await rest(i)
  }
  return figuresOf(taken)
}

/** What scrolling would cost by asking: pages from everywhere in the rows, over HTTP. */
async function pagesOfServer(): Promise<Figures> {
  const token = (await cli.run('token')).stdout.trim()
  const taken = []
  for (const share of [0, 0.25, 0.5, 0.75, 0.99]) {
    const startMs = performance.now()
    const response = await fetch(`${server.url}/api/query`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ sql: `${sql} limit 40 offset ${Math.floor(rowCount * share)}`, format: 'stream' }),
    })
    await response.text()
    taken.push(performance.now() - startMs)
  }
  return figuresOf(taken)
}
