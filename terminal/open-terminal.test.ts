import { expect, test } from 'vitest'
import { openRig, type Rig, rigWorld, seededServer, seededTrends } from '../test/terminal-rig.ts'

const sizes = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 200, rows: 60 },
] as const
const esc = '\u001b'

/** The line of the first row that is shown as selected in the first pane. */
function selectedLine(rig: Rig): string {
  const lines = rig.lines()
  for (let y = 0; y < rig.screen.rows; y++) {
    const cell = rig.screen.buffer.active.getLine(y)?.getCell(2)
    if (y > 4 && cell?.isInverse()) return lines[y] ?? ''
  }
  return ''
}

function statusLine(rig: Rig): string {
  return rig.lines().at(-1) ?? ''
}

test.each(sizes)('draws TOP at $columns×$rows as in the golden file', async ({ columns, rows }) => {
  const rig = await openRig({ columns, rows })
  await expect(`${rig.lines().join('\n')}\n`).toMatchFileSnapshot(`__snapshots__/top-${columns}x${rows}.txt`)
  await rig.end()
})

test('draws TOP in ASCII without a glyph that is not', async () => {
  const rig = await openRig({ columns: 120, rows: 40, env: { isAscii: true } })
  expect(rig.lines().join('')).toMatch(/^[\x20-\x7e]*$/)
  await expect(`${rig.lines().join('\n')}\n`).toMatchFileSnapshot('__snapshots__/top-120x40-ascii.txt')
  await rig.end()
})

test.each([0, 4, 8, 24] as const)('sends %i bits of colour and nothing above', async depth => {
  const rig = await openRig({ columns: 120, rows: 40, env: { depth } })
  const codes = [...rig.output().matchAll(new RegExp(`${esc}\\[([\\d;]*)m`, 'g'))].map(match => match[1] ?? '')
  const isTrue = codes.some(code => /[34]8;2;/.test(code))
  const is256 = codes.some(code => /[34]8;5;/.test(code))
  const is16 = codes.some(code => /^([349][0-7]|10[0-7])$/.test(code))
  expect([isTrue, is256, is16]).toEqual([depth === 24, depth === 8, depth === 4])
  expect(rig.lines()[0]).toContain('CLIPTAPE')
  await rig.end()
})

test('says in plain words that a replay is not live, at every size', async () => {
  for (const size of sizes) {
    const rig = await openRig(size)
    expect(rig.lines()[1]).toContain('NOT LIVE')
    expect(rig.lines()[1]).toContain('Sample replay: US YouTube trending')
    await rig.end()
  }
})

test('moves the selection, which is inverse, with keys that come in one packet', async () => {
  const rig = await openRig({ columns: 80, rows: 24 })
  await rig.type('jjj')
  expect(selectedLine(rig)).toContain('Le déjeuner le plus cher #4')
  await rig.type('\x1b[A')
  expect(selectedLine(rig)).toContain('#3')
  await rig.type('G')
  expect(selectedLine(rig)).toContain('#60')
  await rig.end()
})

test('draws at once after input, and only what changed', async () => {
  const rig = await openRig({ columns: 200, rows: 60 })
  const before = rig.output().length
  await rig.type('j')
  const update = rig.output().slice(before)
  expect(update.startsWith(`${esc}[?2026h`)).toBe(true)
  expect(update.endsWith(`${esc}[?2026l`)).toBe(true)
  // Two rows, the position, the status line, and the chart that follows: far from a screen.
  expect(update.length).toBeLessThan(4_000)
  await rig.end()
})

test('flashes nothing and moves no tape with reduced motion', async () => {
  const rig = await openRig({ columns: 80, rows: 24, env: { isReducedMotion: true } })
  const tape = rig.lines()[2]
  await rig.advance(3_000)
  expect(rig.lines()[2]).toBe(tape)
  await rig.end()
})

test('moves the tape cell by cell otherwise', async () => {
  const rig = await openRig({ columns: 80, rows: 24, env: { isReducedMotion: false } })
  const tape = rig.lines()[2] ?? ''
  await rig.advance(400)
  expect(rig.lines()[2]).not.toBe(tape)
  await rig.end()
})

test('shows changes of rows when they come, without any key', async () => {
  const rig = await openRig({ columns: 80, rows: 24 })
  const [row] = seededTrends(1)
  rig.server.patch('trends', [{ ...row, key: 'youtube:clip001', title: 'Changed in place' }])
  await rig.advance(200)
  expect(rig.lines()[5]).toContain('Changed in place')
  await rig.end()
})

test('runs a typed command without a colon, completes it, and keeps it when it is wrong', async () => {
  const rig = await openRig({ columns: 80, rows: 24 })
  await rig.type('TOP CREATORS 7D\r')
  expect(rig.lines()[3]).toContain('TOP CREATORS 7D')
  await rig.type(':he\t\r')
  expect(rig.lines()[3]).toContain('HELP')
  await rig.type('NOSUCH\r')
  expect(statusLine(rig)).toContain('There is no function NOSUCH')
  expect(rig.lines().at(-2)).toContain('> NOSUCH')
  await rig.type('\x1b')
  await rig.advance(50)
  expect(rig.lines().at(-2)).not.toContain('NOSUCH')
  await rig.end()
})

test('shows completions with a description from the first letter', async () => {
  const rig = await openRig({ columns: 80, rows: 24 })
  await rig.type(':M')
  const lines = rig.lines().slice(-12)
  expect(lines.some(line => line.includes('MOV') && line.includes('What moves fastest'))).toBe(true)
  await rig.end()
})

test('recalls past commands and finds them with Ctrl-R', async () => {
  const rig = await openRig({ columns: 80, rows: 24, preferences: { history: ['TOP TOPICS 30D'] } })
  await rig.type(':MOV\r:\x1b[A')
  expect(rig.lines().at(-2)).toContain('> MOV')
  await rig.type('\x1b[A\r')
  expect(rig.lines()[3]).toContain('TOP TOPICS 30D')
  await rig.type(':\x12mo\r')
  expect(rig.lines()[3]).toContain('MOV CLIPS')
  expect(rig.preferences.saved?.history).toEqual(['TOP TOPICS 30D', 'MOV'])
  await rig.end()
})

test('filters rows while one types, and Esc takes the filter away', async () => {
  const rig = await openRig({ columns: 80, rows: 24 })
  await rig.type('/speedrun\r')
  expect(rig.lines()[5]).toContain('speedrun')
  expect(rig.lines()[6]).toContain('speedrun')
  expect(rig.lines().at(-3)).toContain('1/8 "speedrun"')
  await rig.type('\x1b')
  await rig.advance(50)
  expect(rig.lines()[5]).toContain('Gordon')
  await rig.type('/nothing has this\r')
  expect(rig.lines().join('\n')).toContain('No row contains "nothing has this".')
  await rig.end()
})

test('lists the keys of a screen with ?, finds one by typing and runs it', async () => {
  const rig = await openRig({ columns: 80, rows: 24 })
  await rig.type('?')
  expect(rig.lines().join('\n')).toContain('Row up')
  await rig.type('shorter')
  expect(rig.lines().join('\n')).toContain('Shorter window')
  await rig.type('\r')
  expect(rig.lines()[3]).toContain('TOP CLIPS 6H')
  await rig.end()
})

test('has panes side by side; a linked one follows the selection of the other', async () => {
  const rig = await openRig({ columns: 120, rows: 40 })
  expect(rig.lines()[3]).toContain('2 youtube:clip001 GP')
  await rig.type('jj')
  await rig.advance(200)
  expect(rig.lines()[3]).toContain('2 youtube:clip003 GP')
  await rig.type('\t')
  await rig.type('\x1bl')
  await rig.type('1')
  await rig.type('j')
  await rig.advance(200)
  expect(rig.lines()[3]).toContain('2 youtube:clip003 GP')
  await rig.end()
})

test('shows the other panes as tabs where there is no room, and keys go to them', async () => {
  const rig = await openRig({ columns: 80, rows: 24 })
  expect(rig.lines()[3]).toContain('2 GP  3 MOV')
  await rig.type('3')
  expect(rig.lines()[3]).toContain('3 MOV CLIPS 24H')
  await rig.type('q')
  await rig.type('q')
  await rig.type('q')
  expect(statusLine(rig)).toContain('This is the last pane.')
  await rig.end()
})

test('asks only for what is visible', async () => {
  const rig = await openRig({ columns: 80, rows: 24 })
  const names = () =>
    rig.server.received.flatMap(message =>
      message.type === 'subscribe' && 'name' in message.query ? [message.query.name] : [],
    )
  expect(names()).toEqual(['world', 'movers', 'trends'])
  await rig.resize(120, 40)
  await rig.advance(200)
  expect(names()).toContain('series')
  await rig.end()
})

test('lays out anew after a resize and garbles nothing', async () => {
  const rig = await openRig({ columns: 200, rows: 60 })
  await rig.resize(80, 24)
  const small = await openRig({ columns: 80, rows: 24 })
  expect(rig.lines()).toEqual(small.lines())
  await rig.resize(40, 10)
  expect(rig.lines().join('\n')).toContain('needs 60x15')
  await rig.resize(200, 60)
  const large = await openRig({ columns: 200, rows: 60 })
  expect(rig.lines().slice(0, 30)).toEqual(large.lines().slice(0, 30))
  for (const each of [rig, small, large]) await each.end()
})

test('keeps what an incremental frame shows equal to what a fresh one would', async () => {
  const rig = await openRig({ columns: 120, rows: 40 })
  for (const keys of ['jjj', ':top', '\x7f\x7f', '\x1b', 't', 's', '?', 'row', '\x1b', '/a', '\r', '2', '1']) {
    await rig.type(keys)
    await rig.advance(100)
    const incremental = rig.lines()
    await rig.type('\x0c')
    expect(rig.lines().slice(0, -1)).toEqual(incremental.slice(0, -1))
  }
  await rig.end()
})

test('looks different when loading, empty, refused, stale and disconnected', async () => {
  const server = seededServer()
  server.answers.delete('trends')
  const rig = await openRig({ columns: 80, rows: 24, server })
  const body = () => rig.lines().slice(4, -3).join('\n')
  expect(body()).toContain('Loading')
  const id = server.idOf('trends') ?? ''
  server.push({ type: 'snapshot', id, seq: 1, asOf: rigWorld.now, columns: [], rows: [] })
  await rig.advance(200)
  expect(body()).toContain('Nothing here')
  server.push({ type: 'error', id, code: 'BAD_REQUEST', message: 'This window is too long.' })
  await rig.advance(200)
  expect(body()).toContain('Refused')
  expect(body()).toContain('This window is too long.')
  server.isUp = false
  server.cut()
  await rig.advance(100)
  expect(rig.lines()[0]).toContain('DISCONNECTED')
  await rig.end()
})

test('keeps the rows when the server goes away and comes back live', async () => {
  const rig = await openRig({ columns: 80, rows: 24 })
  rig.server.isUp = false
  rig.server.cut()
  await rig.advance(100)
  expect(rig.lines()[0]).toContain('DISCONNECTED')
  expect(rig.lines()[5]).toContain('Gordon')
  expect(rig.lines().at(-3)).toContain('last known')
  rig.server.isUp = true
  await rig.advance(10_000)
  await rig.advance(200)
  expect(rig.lines()[0]).toContain('CONNECTED')
  expect(rig.lines().at(-3)).not.toContain('last known')
  await rig.end()
})

test('stops writing to a window that takes nothing, and paints it whole when it does again', async () => {
  const rig = await openRig({ columns: 200, rows: 60 })
  rig.freeze()
  const before = rig.output().length
  for (let tick = 1; tick < 40; tick++) {
    rig.server.patch('trends', seededTrends(60, tick))
    await rig.advance(100)
  }
  rig.thaw()
  await rig.settle()
  await rig.settle()
  // What had been handed over when the window froze, and one whole screen; not forty.
  expect(rig.output().length - before).toBeLessThan(200_000)
  const fresh = rig.lines()
  await rig.type('\x0c')
  expect(rig.lines().slice(0, -1)).toEqual(fresh.slice(0, -1))
  await rig.end()
})

test('quits on the second Ctrl-C and gives the terminal back', async () => {
  const rig = await openRig({ columns: 80, rows: 24 })
  await rig.type('\x03')
  expect(statusLine(rig)).toContain('Press Ctrl-C again to quit.')
  await rig.advance(5_000)
  await rig.type('\x03')
  expect(statusLine(rig)).toContain('Press Ctrl-C again to quit.')
  await rig.type('\x03')
  expect(await rig.terminal.done).toEqual({ reason: 'quit' })
  await rig.settle()
  expect(rig.output().endsWith(`${esc}[?2004l${esc}[?7h${esc}[0m${esc}[?25h${esc}[?1049l`)).toBe(true)
  expect(rig.screen.buffer.active.type).toBe('normal')
})

test('leaves the mouse to the terminal until it is switched on, then selects rows with it', async () => {
  const rig = await openRig({ columns: 80, rows: 24 })
  expect(rig.output()).not.toContain('?1002h')
  await rig.type('\x1b[<0;10;9M')
  expect(selectedLine(rig)).toContain('#1')
  await rig.type('\x1bm')
  expect(rig.output()).toContain(`${esc}[?1002h${esc}[?1006h`)
  await rig.type('\x1b[<0;10;9M')
  expect(selectedLine(rig)).toContain('#4')
  expect(rig.preferences.saved?.isMouseOn).toBe(true)
  await rig.end()
})

test('remembers the theme and starts with it', async () => {
  const rig = await openRig({ columns: 80, rows: 24 })
  await rig.type('THEME LIGHT\r')
  expect(rig.preferences.saved?.theme).toBe('light')
  expect(rig.screen.buffer.active.getLine(10)?.getCell(30)?.getBgColor()).toBe(0xfaf8f3)
  await rig.end()
  const next = await openRig({ columns: 80, rows: 24, preferences: rig.preferences.saved })
  expect(next.screen.buffer.active.getLine(10)?.getCell(30)?.getBgColor()).toBe(0xfaf8f3)
  await next.end()
})

test('saves the list as CSV with the notice of what it is', async () => {
  const rig = await openRig({ columns: 80, rows: 24 })
  await rig.type('E')
  await rig.settle()
  const [name, text] = [...rig.saved][0] ?? ['', '']
  expect(name).toBe('cliptape-top-clips-24h-20171114T063000Z.json')
  expect(JSON.parse(text)).toMatchObject({ notice: rigWorld.notice, rows: { length: 60 } })
  expect(statusLine(rig)).toContain('Saved 60 rows')
  await rig.end()
})

test('prints hostile titles as harmless text', async () => {
  const server = seededServer()
  const rows = seededTrends(3).map((row, i) =>
    i === 0 ? { ...row, title: `${esc}[2J${esc}]0;owned\u0007evil\u202e` } : row,
  )
  server.answers.set('trends', rows)
  server.answers.set('movers', rows)
  const rig = await openRig({ columns: 80, rows: 24, server })
  expect(rig.output()).not.toContain('owned')
  expect(rig.lines()[5]).toContain(' evil ')
  await rig.end()
})

test('only appends lines in accessible mode, and says what is selected', async () => {
  const rig = await openRig({ columns: 80, rows: 24, env: { isAccessible: true, depth: 0 } })
  await rig.advance(1_000)
  const said = () => rig.output().split('\r\n')
  expect(rig.output()).not.toContain(esc)
  expect(said()).toContain(rigWorld.notice)
  expect(said()).toContain('== TOP CLIPS 24H')
  const before = rig.output().length
  await rig.advance(5_000)
  expect(rig.output().length).toBe(before)
  await rig.type('j')
  await rig.advance(1_000)
  expect(rig.output().slice(before)).toContain('#2')
  await rig.type('\x03\x03')
  expect(await rig.terminal.done).toEqual({ reason: 'quit' })
})
