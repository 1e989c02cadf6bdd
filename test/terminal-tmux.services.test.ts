import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packageRoot } from '../sql/read.ts'
import { waitForFile } from './services/process.ts'
import { hasTmux, openTmux, type Tmux } from './services/tmux.ts'

// The whole program in a real terminal (tmux): a new user types the command, looks, presses keys, resizes the window, quits.

const session = `cliptape-test-${process.pid}`
let home = ''
let terminal: Tmux

const cliptape = join(packageRoot, 'bin/cliptape.mjs')

describe.skipIf(!hasTmux())('the terminal in tmux', () => {
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cliptape-tmux-'))
    terminal = openTmux({ name: session, columns: 100, rows: 30, home })
  })
  afterEach(() => {
    terminal.close()
    rmSync(home, { recursive: true, force: true })
  })

  test('starts, shows rows that move, survives a resize, and leaves a clean terminal', async () => {
    terminal.press(`node ${cliptape} up`, 'Enter')
    const first = await terminal.shows(/^ +1 (NEW|·|[▲▼]\d+) /m)
    expect(first).toContain('CLIPTAPE')
    expect(first).toContain('NOT LIVE')
    expect(first).toContain(' 1 TOP CLIPS 24H')

    const clock = /DATA (\S+ \S+)/.exec(first)?.[1]
    await terminal.shows(new RegExp(`DATA (?!${clock})\\S+ \\S+`))

    terminal.press('j', 'j')
    await terminal.shows('Row down')
    terminal.resize(180, 50)
    const wide = await terminal.shows(/ 2 \S+.* GP /)
    expect(wide.split('\n').filter(line => line.includes('CLIPTAPE'))).toHaveLength(1)
    terminal.resize(80, 24)
    const small = await terminal.shows('2 GP  3 MOV')
    expect(small.split('\n').filter(line => line.startsWith(' 1 TOP CLIPS 24H'))).toHaveLength(1)
    expect(small.split('\n')[0]).toContain('CLIPTAPE')

    terminal.press('OPS', 'Enter')
    await terminal.shows(/^ PART +NAME/m)

    terminal.press('C-c')
    await terminal.shows('Press Ctrl-C again to quit.')
    terminal.press('C-c')
    const after = await terminal.shows(/^prompt> ?$/m)
    expect(after).not.toContain('CLIPTAPE  ')
    terminal.press('stty -a | tr ";" "\\n" | grep -E -o -- "-?(icanon|echo)\\b"', 'Enter')
    const modes = await terminal.shows(/^echo$/m)
    expect(modes).toMatch(/^icanon$/m)
    expect(modes).not.toMatch(/^-icanon$/m)
  })

  test('drains when its window is closed', async () => {
    const errors = join(home, 'errors')
    terminal.press(`node ${cliptape} up 2> ${errors}`, 'Enter')
    await terminal.shows(' 1 TOP CLIPS 24H')
    terminal.close()
    expect(await waitForFile(join(home, 'home/logs/cliptape.log'), /.*"Stopping\."/)).not.toContain('"level":60')
    while (existsSync(join(home, 'home/control.sock'))) await delay(100)
    expect(readFileSync(errors, 'utf8')).not.toMatch(/error/i)
  })

  test('registers on a server of another home, keeps the session, makes a key, and signs out', async () => {
    terminal.press(`node ${cliptape} serve > ${home}/serve.log 2>&1 &`, 'Enter')
    const url = await waitForFile(join(home, 'serve.log'), /http:\/\/127\.0\.0\.1:\d+/)
    const open = `CLIPTAPE_HOME=${home}/nowhere node ${cliptape} terminal --url ${url}`
    terminal.press(`clear; ${open} API`, 'Enter')
    await terminal.shows('New account')
    terminal.press('ada@example.com', 'Tab', 'Tab', 'Tab', 'Enter')
    await terminal.shows('Once more')
    terminal.press('correct horse battery', 'Enter', 'correct horse battery', 'Enter')
    await terminal.shows('No key yet: n creates one.')
    terminal.press('n', 'nightly report', 'Enter', 'Enter', 'Enter')
    const made = await terminal.shows('This is the only time')
    expect(made).toMatch(/cl_live_\w{8}_/)
    terminal.press('Escape')
    await terminal.shows(/nightly.* cl_live_/)
    terminal.press('C-c', 'C-c')
    await terminal.shows(/^prompt> ?$/m)

    const folder = join(home, 'cliptape', 'sessions')
    const files = readdirSync(folder).filter(name => name.endsWith('.json'))
    expect(files).toHaveLength(1)
    expect(statSync(join(folder, files[0] ?? '')).mode & 0o777).toBe(0o600)

    terminal.press(`clear; ${open} API`, 'Enter')
    await terminal.shows('nightly')
    terminal.press('LOGOUT', 'Enter')
    await terminal.shows('You have signed out.')
    expect(readdirSync(folder).filter(name => name.endsWith('.json'))).toEqual([])
    terminal.press('C-c', 'C-c')
    await terminal.shows(/^prompt> ?$/m)
    terminal.press('kill %1; wait', 'Enter')
    await terminal.shows(/Done|Exit|Terminated/)
  })
})
